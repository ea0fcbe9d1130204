import type { BulkCasReader } from '@vault/cas'
import { lendMany } from '@vault/cas'
import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { matchesId } from '@vault/core'
import { type ProofClaim, possessionProver } from './records/possession.ts'

/** What a store has of these objects. */
export interface Possessions {
  /** In the order of the ids. */
  readonly proofs: readonly Bytes[]
  readonly bytes: number
}

/** The proof of possession of each object, out of its bytes as they are read now; `undefined` where one does not read back. */
export async function possessionsOf(
  objects: BulkCasReader,
  { ids, ...claim }: ProofClaim & { readonly ids: readonly ContentId[] },
  options: AbortOptions,
): Promise<Possessions | undefined> {
  const prove = possessionProver(claim)
  const found = new Map<ContentId, Bytes>()
  let bytes = 0
  // A store reads and hashes what is asked for twice twice, and without a pause where it lies at the same place.
  for await (const { blocks, release } of lendMany(objects, [[...new Set(ids)]], options)) {
    for (const block of blocks) {
      if (found.has(block.id) || !matchesId(block.id, block.bytes)) continue
      found.set(block.id, prove(block.id, block.bytes))
      bytes += block.bytes.length
    }
    release()
  }
  const proofs: Bytes[] = []
  for (const id of ids) {
    const proof = found.get(id)
    if (proof === undefined) return undefined
    proofs.push(proof)
  }
  return { proofs, bytes }
}
