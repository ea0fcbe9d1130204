import type { Bytes } from './bytes.ts'
import { copyBytes } from './bytes.ts'
import { decode } from './cbor-decode.ts'
import { encode } from './cbor-encode.ts'
import type { ContentId } from './content-id.ts'
import { contentId } from './content-id.ts'
import type { Envelope, Threshold } from './envelope.ts'
import { countSigners, signEnvelope } from './envelope.ts'
import { VaultError } from './error.ts'
import { hasFields } from './fields.ts'
import type { HashName } from './hash.ts'
import type { KeyId } from './key-id.ts'
import { parseKeyId } from './key-id.ts'
import type { AbortOptions } from './options.ts'
import type { Signer } from './signature.ts'

/** The `code` of the errors of this module. */
export type KeyEventErrorCode = 'KEY_EVENT_INVALID'

/** The name of a vault for ever: the content id (SHA-256, dag-cbor) of the payload of its inception. */
export type VaultId = ContentId

/** Who may act for a vault. A key may hold several roles, at the price of their separation. */
export interface Roles {
  /** Says which keys are the vault's: signs key events. May be offline. */
  readonly identity: Threshold
  /** Decides what happens to the vault: plans, policies, releases. */
  readonly operators: Threshold
  /** Signs checkpoints of the audit log. Online, and replaced at every move. */
  readonly log: Threshold
}

/** How content becomes objects: part of the vault, so that the same file has the same id wherever the vault lives. */
export interface ContentParameters {
  readonly hash: HashName
  readonly chunker: {
    readonly kind: 'fixed'
    /** Bytes of a chunk, 4 KiB to 1 MiB. */
    readonly size: number
  }
}

/**
 * The first key event of a vault, and so what can never be changed without becoming another vault. Whatever a vault may
 * want later (other keys, witnesses, commitments to the next keys) comes in key events that name this one.
 */
export interface Inception {
  readonly type: 'key'
  readonly v: 1
  readonly seq: 0
  readonly prev: null
  readonly why: 'inception'
  /** 16 unpredictable bytes: two vaults of the same keys differ. */
  readonly nonce: Bytes
  readonly roles: Roles
  readonly content: ContentParameters
  /** Seconds since 1970; a claim of the founder. */
  readonly at: number
}

/** BLAKE3, chunks of 1 MiB. */
export const DEFAULT_CONTENT: ContentParameters = { hash: 'blake3', chunker: { kind: 'fixed', size: 1024 * 1024 } }

const SIGNATURE_TYPE = 'key'
const NONCE_LENGTH = 16
const MAX_KEYS = 64
const CHUNK_SIZE = { min: 4096, max: 1024 * 1024 }
// Three roles of 64 keys are 11 KiB.
const LIMITS = { maxBytes: 64 * 1024, maxDepth: 8 }

/**
 * Founds a vault: signed by every key of every role, as proof that each is possessed. The keys of a role may be given in
 * any order. Throws `KEY_EVENT_INVALID` for contents that {@link verifyInception} would refuse, `SIGNATURE_THRESHOLD`
 * where a signer is missing.
 */
export async function createInception(
  founding: {
    readonly roles: Roles
    readonly content?: ContentParameters
    /** 16 bytes. */
    readonly nonce: Uint8Array
    readonly at: Date
  },
  signers: readonly Signer[],
  options?: AbortOptions,
): Promise<Envelope> {
  const { roles, content = DEFAULT_CONTENT, nonce, at } = founding
  const inception: Inception = {
    type: 'key',
    v: 1,
    seq: 0,
    prev: null,
    why: 'inception',
    nonce: copyBytes(nonce),
    roles: { identity: sorted(roles.identity), operators: sorted(roles.operators), log: sorted(roles.log) },
    content,
    at: Math.floor(at.getTime() / 1000),
  }
  const payload = encode(inception)
  parseInception(payload)
  const envelope = await signEnvelope(SIGNATURE_TYPE, payload, signers, options)
  verifyInception(envelope)
  return envelope
}

/**
 * The vault that an envelope founds. Throws `KEY_EVENT_INVALID` for a payload that is not exactly an inception
 * (formats/key-event.md) and `SIGNATURE_THRESHOLD` where a key of a role has not signed.
 */
export function verifyInception(envelope: Envelope): { readonly vault: VaultId; readonly inception: Inception } {
  const inception = parseInception(envelope.payload)
  const { identity, operators, log } = inception.roles
  const keys = [...new Set([...identity.keys, ...operators.keys, ...log.keys])]
  countSigners(envelope, SIGNATURE_TYPE, { keys, threshold: keys.length })
  return { vault: contentId(envelope.payload, { hash: 'sha2-256', codec: 'dag-cbor' }), inception }
}

function parseInception(payload: Uint8Array): Inception {
  const value = decodeStrictly(payload)
  check(
    hasFields(value, 'type', 'v', 'seq', 'prev', 'why', 'nonce', 'roles', 'content', 'at'),
    'its fields are not those of an inception',
  )
  const { type, v, seq, prev, why, nonce, roles, content, at } = value
  check(type === 'key' && v === 1, 'it is not a key event of version 1')
  check(seq === 0 && prev === null && why === 'inception', 'it is not the first event of a vault')
  check(nonce instanceof Uint8Array && nonce.length === NONCE_LENGTH, `"nonce" is not ${NONCE_LENGTH} bytes`)
  check(hasFields(roles, 'identity', 'operators', 'log'), '"roles" are not identity, operators and log')
  check(typeof at === 'number' && Number.isInteger(at) && at >= 0, '"at" is not a whole number of seconds')
  return {
    type,
    v,
    seq,
    prev,
    why,
    nonce: copyBytes(nonce),
    roles: {
      identity: parseThreshold('identity', roles.identity),
      operators: parseThreshold('operators', roles.operators),
      log: parseThreshold('log', roles.log),
    },
    content: parseContent(content),
    at,
  }
}

function parseThreshold(role: string, value: unknown): Threshold {
  check(hasFields(value, 'keys', 'threshold'), `the role ${role} is not a map of "keys" and "threshold"`)
  const { keys, threshold } = value
  check(Array.isArray(keys) && keys.length <= MAX_KEYS, `the role ${role} has not a list of at most ${MAX_KEYS} keys`)
  const parsed = keys.map((key) => parseKey(role, key))
  check(
    parsed.every((key, i) => i === 0 || (parsed[i - 1] as KeyId) < key),
    `the keys of the role ${role} are not distinct and in ascending order`,
  )
  check(
    typeof threshold === 'number' && Number.isInteger(threshold) && threshold >= 1 && threshold <= keys.length,
    `the threshold of the role ${role} is not between 1 and its ${keys.length} keys`,
  )
  return { keys: parsed, threshold }
}

function parseKey(role: string, value: unknown): KeyId {
  try {
    return parseKeyId(value)
  } catch (cause) {
    throw invalid(`the role ${role} names something that is no key`, cause)
  }
}

function parseContent(value: unknown): ContentParameters {
  check(hasFields(value, 'hash', 'chunker'), '"content" is not a map of "hash" and "chunker"')
  const { hash, chunker } = value
  check(hash === 'blake3' || hash === 'sha2-256', 'its hash function is neither blake3 nor sha2-256')
  check(hasFields(chunker, 'kind', 'size') && chunker.kind === 'fixed', 'its chunker is not of fixed size')
  const { kind, size } = chunker
  check(
    typeof size === 'number' && Number.isInteger(size) && size >= CHUNK_SIZE.min && size <= CHUNK_SIZE.max,
    `its chunks have not ${CHUNK_SIZE.min} to ${CHUNK_SIZE.max} bytes`,
  )
  return { hash, chunker: { kind, size } }
}

function decodeStrictly(payload: Uint8Array): unknown {
  try {
    return decode(payload, LIMITS)
  } catch (cause) {
    throw invalid('it is not strict DAG-CBOR within 64 KiB', cause)
  }
}

/** Key ids are ASCII of equal length, so the order of their text is that of their bytes. */
function sorted({ keys, threshold }: Threshold): Threshold {
  return { keys: keys.toSorted(), threshold }
}

function check(condition: boolean, reason: string): asserts condition {
  if (!condition) throw invalid(reason)
}

function invalid(reason: string, cause?: unknown): VaultError<KeyEventErrorCode> {
  return new VaultError({ code: 'KEY_EVENT_INVALID', message: `Not an inception key event: ${reason}.`, cause })
}
