import type { AbortOptions, Bytes } from '@vault/core'
import { concatBytes } from '@vault/core'
import { setRoot } from '@vault/merkle'
import type { SoupReader } from '@vault/soup'
import type { VaultTable } from './difference.ts'
import { indexBranches } from './index-branches.ts'
import { encodeBranch, encodeIndexHeader } from './index-format.ts'

/** Both tables, in the order of the format. */
export const INDEX_TABLES: readonly VaultTable[] = ['objects', 'entries']

const BATCH = 128

/**
 * The kept subtrees of both tables (M049), formats/indexes.md: those that are missing are computed and kept first, so equal vaults give equal
 * bytes whatever has happened to them. Memory does not grow with the vault. They are as good as the soup's kept subtrees: a
 * damaged one is exported as it is, and found by {@link importIndexes}. A soup that cannot keep computes them level by level, some
 * five times. Throws `TRANSFER_INDEX_CHANGED` where the vault changes meanwhile.
 */
export async function* exportIndexes(soup: SoupReader, options: AbortOptions = {}): AsyncGenerator<Bytes> {
  options.signal?.throwIfAborted()
  const { sequence, whole } = await soup.view(async (view) => {
    const whole = { objects: await setRoot(view.objects, options), entries: await setRoot(view.entries, options) }
    return { sequence: view.sequence, whole }
  }, options)
  yield encodeIndexHeader(whole)
  for (const table of INDEX_TABLES) {
    let batch: Bytes[] = []
    for await (const branch of indexBranches(soup, table, sequence, options)) {
      batch.push(encodeBranch(branch))
      if (batch.length < BATCH) continue
      yield concatBytes(...batch)
      batch = []
    }
    if (batch.length > 0) yield concatBytes(...batch)
  }
}
