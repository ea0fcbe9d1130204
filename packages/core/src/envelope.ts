import type { Bytes } from './bytes.ts'
import { copyBytes, equalBytes } from './bytes.ts'
import { decode } from './cbor-decode.ts'
import { encode } from './cbor-encode.ts'
import { SIGNATURE_LENGTH } from './ed25519.ts'
import { VaultError } from './error.ts'
import { hasFields } from './fields.ts'
import type { KeyId } from './key-id.ts'
import { parseKeyId } from './key-id.ts'
import type { AbortOptions } from './options.ts'
import type { Signer } from './signature.ts'
import { messageToVerify, signedMessage, verifyStrict } from './signature.ts'

/** The `code` of the errors of this module. */
export type EnvelopeErrorCode = 'ENVELOPE_INVALID' | 'SIGNATURE_THRESHOLD'

/** Signatures by several keys over one payload. The document's identity is that of the payload, so signatures may be added later. */
export interface Envelope {
  /** The exact bytes that were signed, never encoded anew. */
  readonly payload: Bytes
  readonly signatures: readonly EnvelopeSignature[]
}

export interface EnvelopeSignature {
  readonly key: KeyId
  /** 64 bytes. */
  readonly signature: Bytes
}

/** So many distinct keys out of these. */
export interface Threshold {
  readonly keys: readonly KeyId[]
  /** At least 1. */
  readonly threshold: number
}

const MAX_SIGNATURES = 256

/** Signs a payload with each of 1 to 256 signers in turn, in their order. What they throw is passed on. */
export async function signEnvelope(
  type: string,
  payload: Uint8Array,
  signers: readonly Signer[],
  options?: AbortOptions,
): Promise<Envelope> {
  options?.signal?.throwIfAborted()
  if (signers.length === 0 || signers.length > MAX_SIGNATURES) {
    throw new RangeError(`An envelope has 1 to ${MAX_SIGNATURES} signers, not ${signers.length}.`)
  }
  const message = signedMessage(type, payload)
  const signatures: EnvelopeSignature[] = []
  for (const signer of signers) {
    signatures.push({ key: signer.key, signature: await signer.sign(message, options) })
  }
  return { payload: copyBytes(payload), signatures }
}

/**
 * One envelope with the signatures of all, for signers that are not in one place: in their order, each of them once. Throws
 * `ENVELOPE_INVALID` where the payloads differ or there are more than 256 signatures.
 */
export function mergeEnvelopes(envelopes: readonly Envelope[]): Envelope {
  const [first, ...others] = envelopes
  if (first === undefined) throw new RangeError('There is no envelope to merge.')
  if (others.some(({ payload }) => !equalBytes(payload, first.payload))) throw invalid('they sign different payloads')
  const signatures: EnvelopeSignature[] = []
  for (const signed of envelopes.flatMap((envelope) => envelope.signatures)) {
    const known = ({ key, signature }: EnvelopeSignature) =>
      key === signed.key && equalBytes(signature, signed.signature)
    if (!signatures.some(known)) signatures.push(signed)
    if (signatures.length > MAX_SIGNATURES) throw invalid(`together they have more than ${MAX_SIGNATURES} signatures`)
  }
  return { payload: copyBytes(first.payload), signatures }
}

/** The DAG-CBOR form of an envelope (formats/signature.md). */
export function encodeEnvelope({ payload, signatures }: Envelope): Bytes {
  return encode({ payload, signatures })
}

/**
 * An envelope from its DAG-CBOR form. Throws `ENVELOPE_INVALID`. Nothing is verified yet: that is {@link countSigners}.
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const value = decodeStrictly(bytes)
  if (!hasFields(value, 'payload', 'signatures')) throw invalid('it is not a map of "payload" and "signatures"')
  const { payload, signatures } = value
  if (!(payload instanceof Uint8Array)) throw invalid('"payload" is not bytes')
  if (!Array.isArray(signatures) || signatures.length === 0 || signatures.length > MAX_SIGNATURES) {
    throw invalid(`"signatures" is not a list of 1 to ${MAX_SIGNATURES}`)
  }
  // What was decoded is a copy.
  return { payload: payload as Bytes, signatures: signatures.map(parseSignature) }
}

/**
 * The distinct keys of the threshold that have signed this payload for this type, in the order of `keys`.
 *
 * A key counts once however often it signed or is listed; signatures by other keys are not looked at; a bad signature
 * never counts, nor does it spoil a good one. Throws `SIGNATURE_THRESHOLD` below the threshold, with `needed`, `signed`,
 * `bad` and `missing` in its details, and a `RangeError` for a threshold that is not an integer of at least 1.
 */
export function countSigners(envelope: Envelope, type: string, { keys, threshold }: Threshold): readonly KeyId[] {
  if (!Number.isSafeInteger(threshold) || threshold < 1) throw new RangeError(`A threshold of ${threshold} is none.`)
  const message = messageToVerify(type, envelope.payload)
  const signed: KeyId[] = []
  const bad: KeyId[] = []
  const missing: KeyId[] = []
  for (const key of new Set(keys)) {
    const own = envelope.signatures.filter((signature) => signature.key === key)
    if (own.length === 0) missing.push(key)
    else if (own.some(({ signature }) => verifyStrict(key, message, signature))) signed.push(key)
    else bad.push(key)
  }
  if (signed.length >= threshold) return signed
  throw new VaultError<EnvelopeErrorCode>({
    code: 'SIGNATURE_THRESHOLD',
    message: `The ${type} document needs ${threshold} of ${keys.length} signers and has ${signed.length}; bad signatures: ${bad.length}, not signed: ${missing.length}.`,
    details: { needed: threshold, signed, bad, missing },
  })
}

function decodeStrictly(bytes: Uint8Array): unknown {
  try {
    return decode(bytes)
  } catch (cause) {
    throw invalid('it is not strict DAG-CBOR', cause)
  }
}

function parseSignature(value: unknown): EnvelopeSignature {
  if (!hasFields(value, 'key', 'signature')) throw invalid('a signature is not a map of "key" and "signature"')
  const { key, signature } = value
  if (!(signature instanceof Uint8Array) || signature.length !== SIGNATURE_LENGTH) {
    throw invalid(`a signature has not ${SIGNATURE_LENGTH} bytes`)
  }
  try {
    return { key: parseKeyId(key), signature: signature as Bytes }
  } catch (cause) {
    throw invalid('a signature names no key', cause)
  }
}

function invalid(reason: string, cause?: unknown): VaultError<EnvelopeErrorCode> {
  return new VaultError({ code: 'ENVELOPE_INVALID', message: `Not a signed envelope: ${reason}.`, cause })
}
