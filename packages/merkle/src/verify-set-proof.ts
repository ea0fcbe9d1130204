import { equalBytes, KEY_LENGTH } from '@vault/core'
import { invalidProof } from './error.ts'
import { EMPTY_ROOT, NodeHasher } from './node-hasher.ts'
import { hasBit } from './rows.ts'
import type { ProofStep, SetProof } from './set-proof.ts'
import { checkShape } from './set-proof.ts'

/** Returns where the set with this root has this key with this value; otherwise throws `MERKLE_PROOF_INVALID`. */
export function verifyPresence(statement: {
  readonly root: Uint8Array
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly proof: SetProof
}): void {
  const { root, key, value, proof } = statement
  checkKey(key)
  checkShape(proof)
  if (proof.type !== 'presence') throw invalidProof('it is a proof of absence')
  if (!equalBytes(proof.value, value)) throw invalidProof('it is for another value')
  checkRoot(root, key, value, proof.path)
}

/** Returns where the set with this root does not have this key; otherwise throws `MERKLE_PROOF_INVALID`. */
export function verifyAbsence(statement: {
  readonly root: Uint8Array
  readonly key: Uint8Array
  readonly proof: SetProof
}): void {
  const { root, key, proof } = statement
  checkKey(key)
  checkShape(proof)
  if (proof.type !== 'absence') throw invalidProof('it is a proof of presence')
  const { found } = proof
  if (found === undefined) {
    if (!equalBytes(root, EMPTY_ROOT)) throw invalidProof('the set with this root is not empty')
    return
  }
  if (equalBytes(found.key, key)) throw invalidProof('the leaf that it found has the very key')
  for (const { bit } of found.path) {
    if (hasBit(key, 0, bit) !== hasBit(found.key, 0, bit))
      throw invalidProof(`a search for the key turns off at bit ${bit}`)
  }
  checkRoot(root, found.key, found.value, found.path)
}

function checkRoot(root: Uint8Array, key: Uint8Array, value: Uint8Array, path: readonly ProofStep[]): void {
  const hasher = new NodeHasher()
  let hash = hasher.leaf({ keys: key, values: value }, 0)
  for (const { bit, sibling } of path) {
    hash = hasBit(key, 0, bit) ? hasher.inner(sibling, hash, bit) : hasher.inner(hash, sibling, bit)
  }
  if (!equalBytes(hash, root)) throw invalidProof('it leads to another root')
}

/** Keys come from outside as well: a wrong length is a statement that cannot be proven, not a caller's mistake. */
function checkKey(key: Uint8Array): void {
  if (key.length !== KEY_LENGTH) throw invalidProof(`a key has ${KEY_LENGTH} bytes, not ${key.length}`)
}
