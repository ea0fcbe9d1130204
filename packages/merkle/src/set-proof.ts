import type { Bytes } from '@vault/core'
import { concatBytes, copyBytes, equalBytes, utf8 } from '@vault/core'
import { invalidProof } from './error.ts'

/** One inner node on the way from a leaf to the root. */
export interface ProofStep {
  /** The key bit, 0 to 255, at which the node divides its keys. */
  readonly bit: number
  /** The hash of the child that is not on the way. */
  readonly sibling: Bytes
}

/** Proves that a key is in the set with this value. */
export interface PresenceProof {
  readonly type: 'presence'
  readonly value: Bytes
  /** From the leaf to the root: bits strictly fall. */
  readonly path: readonly ProofStep[]
}

/** Proves that a key is not in the set: a search for it ends at another leaf, or the set is empty. */
export interface AbsenceProof {
  readonly type: 'absence'
  /** The leaf that is found instead; absent where the set is empty. */
  readonly found?: { readonly key: Bytes; readonly value: Bytes; readonly path: readonly ProofStep[] }
}

export type SetProof = PresenceProof | AbsenceProof

/** Bytes of the longest proof: a found key and value, and a step for every bit. */
export const MAX_SET_PROOF_LENGTH = 8_521

const MAGIC = utf8('mptproof')
const PRESENCE = new Uint8Array([1])
const ABSENCE = new Uint8Array([2])
const HEAD = MAGIC.length + 1
const STEP = 33

/** A proof as bytes (formats/set-tree.md, 4). Throws `MERKLE_PROOF_INVALID` for one that no tree can have. */
export function encodeSetProof(proof: SetProof): Bytes {
  checkShape(proof)
  if (proof.type === 'presence') return concatBytes(MAGIC, PRESENCE, proof.value, ...encodePath(proof.path))
  const { found } = proof
  if (found === undefined) return concatBytes(MAGIC, ABSENCE)
  return concatBytes(MAGIC, ABSENCE, found.key, found.value, ...encodePath(found.path))
}

/** Bytes from anywhere as a proof. Every proof has one encoding. Throws `MERKLE_PROOF_INVALID`, and nothing else. */
export function decodeSetProof(bytes: Uint8Array): SetProof {
  if (bytes.length > MAX_SET_PROOF_LENGTH) throw invalidProof(`it has more than ${MAX_SET_PROOF_LENGTH} bytes`)
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) throw invalidProof('it does not begin with "mptproof"')
  const proof = decodeBody(bytes)
  checkShape(proof)
  return proof
}

function decodeBody(bytes: Uint8Array): SetProof {
  const type = bytes[MAGIC.length]
  if (type === PRESENCE[0]) {
    return { type: 'presence', value: copyBytes(bytes.subarray(HEAD, HEAD + 32)), path: decodePath(bytes, HEAD + 32) }
  }
  if (type !== ABSENCE[0]) throw invalidProof(`its type is ${type}`)
  if (bytes.length === HEAD) return { type: 'absence' }
  const key = copyBytes(bytes.subarray(HEAD, HEAD + 32))
  const value = copyBytes(bytes.subarray(HEAD + 32, HEAD + 64))
  return { type: 'absence', found: { key, value, path: decodePath(bytes, HEAD + 64) } }
}

function encodePath(path: readonly ProofStep[]): Uint8Array[] {
  return path.flatMap(({ bit, sibling }) => [new Uint8Array([bit]), sibling])
}

function decodePath(bytes: Uint8Array, from: number): ProofStep[] {
  const path: ProofStep[] = []
  for (let at = from; at < bytes.length; at += STEP) {
    path.push({ bit: bytes[at] as number, sibling: copyBytes(bytes.subarray(at + 1, at + STEP)) })
  }
  return path
}

/** Lengths, and bits that strictly fall: no path is longer than a key, and none can be read in two ways. */
export function checkShape(proof: SetProof): void {
  const leaf = proof.type === 'presence' ? [proof.value] : [proof.found?.key, proof.found?.value]
  for (const bytes of leaf) {
    if (bytes !== undefined && bytes.length !== 32) throw invalidProof('its leaf is incomplete')
  }
  let above = 256
  for (const { bit, sibling } of pathOf(proof)) {
    if (!Number.isInteger(bit) || bit < 0 || bit >= above) throw invalidProof('the bits of its path do not fall')
    if (sibling.length !== 32) throw invalidProof('its path is incomplete')
    above = bit
  }
}

/** The steps of either proof. */
function pathOf(proof: SetProof): readonly ProofStep[] {
  return (proof.type === 'presence' ? proof.path : proof.found?.path) ?? []
}
