import type { Bytes } from './bytes.ts'
import { copyBytes } from './bytes.ts'
import { encode } from './cbor-encode.ts'
import type { ContentId } from './content-id.ts'
import { contentId } from './content-id.ts'
import type { Envelope } from './envelope.ts'
import { countSigners, signEnvelope } from './envelope.ts'
import { hasFields } from './fields.ts'
import type { HashName } from './hash.ts'
import { checkEvent } from './key-event-error.ts'
import { decodeEvent, KEY_EVENT, parseTime } from './key-event-payload.ts'
import type { AbortOptions } from './options.ts'
import type { Roles } from './roles.ts'
import { keysOf, parseRoles, sortRoles } from './roles.ts'
import type { Signer } from './signature.ts'

/** The name of a vault for ever: the content id (SHA-256, dag-cbor) of the payload of its inception. */
export type VaultId = ContentId

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

const NONCE_LENGTH = 16
const CHUNK_SIZE = { min: 4096, max: 1024 * 1024 }

/** What a new vault is to be. */
export interface Founding {
  /** The keys of a role in any order. */
  readonly roles: Roles
  readonly content?: ContentParameters
  /** 16 bytes. */
  readonly nonce: Uint8Array
  readonly at: Date
}

/**
 * Founds a vault: signed by every key of every role, as proof that each is possessed. Throws `KEY_EVENT_INVALID` for contents
 * that {@link verifyInception} would refuse, `SIGNATURE_THRESHOLD` where a signer is missing.
 */
export async function createInception(
  founding: Founding,
  signers: readonly Signer[],
  options?: AbortOptions,
): Promise<Envelope> {
  const envelope = await signEnvelope(KEY_EVENT, inceptionPayload(founding), signers, options)
  verifyInception(envelope)
  return envelope
}

/**
 * What is signed in an inception, for signers that are not in one place: as `keyEventPayload` of later events. Throws
 * `KEY_EVENT_INVALID` for contents that no reader takes.
 */
export function inceptionPayload({ roles, content = DEFAULT_CONTENT, nonce, at }: Founding): Bytes {
  const inception: Inception = {
    type: 'key',
    v: 1,
    seq: 0,
    prev: null,
    why: 'inception',
    nonce: copyBytes(nonce),
    roles: sortRoles(roles),
    content,
    at: Math.floor(at.getTime() / 1000),
  }
  const payload = encode(inception)
  parseInception(payload)
  return payload
}

/**
 * The vault that an envelope founds. Throws `KEY_EVENT_INVALID` for a payload that is not exactly an inception
 * (formats/key-event.md) and `SIGNATURE_THRESHOLD` where a key of a role has not signed.
 */
export function verifyInception(envelope: Envelope): { readonly vault: VaultId; readonly inception: Inception } {
  const inception = parseInception(envelope.payload)
  const keys = keysOf(inception.roles)
  countSigners(envelope, KEY_EVENT, { keys, threshold: keys.length })
  return { vault: contentId(envelope.payload, { hash: 'sha2-256', codec: 'dag-cbor' }), inception }
}

/** An inception. Throws `KEY_EVENT_INVALID`. Verifies no signature. */
function parseInception(payload: Uint8Array): Inception {
  const value = decodeEvent(payload)
  checkEvent(
    hasFields(value, 'type', 'v', 'seq', 'prev', 'why', 'nonce', 'roles', 'content', 'at'),
    'its fields are not those of an inception',
  )
  const { type, v, seq, prev, why, nonce, roles, content, at } = value
  checkEvent(type === 'key' && v === 1, 'it is not a key event of version 1')
  checkEvent(seq === 0 && prev === null && why === 'inception', 'it is not the first event of a vault')
  checkEvent(nonce instanceof Uint8Array && nonce.length === NONCE_LENGTH, `"nonce" is not ${NONCE_LENGTH} bytes`)
  return {
    type,
    v,
    seq,
    prev,
    why,
    nonce: copyBytes(nonce),
    roles: parseRoles(roles),
    content: parseContent(content),
    at: parseTime(at),
  }
}

/** The content parameters of a decoded value. Throws `KEY_EVENT_INVALID`. */
export function parseContent(value: unknown): ContentParameters {
  checkEvent(hasFields(value, 'hash', 'chunker'), '"content" is not a map of "hash" and "chunker"')
  const { hash, chunker } = value
  checkEvent(hash === 'blake3' || hash === 'sha2-256', 'its hash function is neither blake3 nor sha2-256')
  checkEvent(hasFields(chunker, 'kind', 'size') && chunker.kind === 'fixed', 'its chunker is not of fixed size')
  const { kind, size } = chunker
  checkEvent(
    typeof size === 'number' && Number.isInteger(size) && size >= CHUNK_SIZE.min && size <= CHUNK_SIZE.max,
    `its chunks have not ${CHUNK_SIZE.min} to ${CHUNK_SIZE.max} bytes`,
  )
  return { hash, chunker: { kind, size } }
}
