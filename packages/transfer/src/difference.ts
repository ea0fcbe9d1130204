import type { AbortOptions, Bytes } from '@vault/core'
import { diverge } from '@vault/merkle'
import type { SoupReader } from '@vault/soup'

/** The two tables of a vault. */
export type VaultTable = 'objects' | 'entries'

/** Some of the differences between two vaults: table keys, ascending from window to window. */
export interface DifferenceWindow {
  readonly table: VaultTable
  readonly onlySource: readonly Bytes[]
  readonly onlyTarget: readonly Bytes[]
  /** In both, with other values; only entries can differ so. */
  readonly differing: readonly Bytes[]
}

export interface DiffOptions extends AbortOptions {
  /** Differences in a window, at most. Default 16,384: some mebibytes of memory. */
  readonly window?: number
  /** Default: both, objects first. */
  readonly tables?: readonly VaultTable[]
}

/**
 * What differs between two vaults, found by a walk over their trees, so that it costs the differences and not the
 * vaults. Every window comes from two short views of its own: where a vault changes meanwhile, a window is right for
 * its moment, and only another walk without differences says that both are equal. Empty windows are not yielded.
 */
export async function* diffVaults(
  source: SoupReader,
  target: SoupReader,
  options: DiffOptions = {},
): AsyncGenerator<DifferenceWindow> {
  const { window = 16_384, tables = ['objects', 'entries'], signal } = options
  for (const table of tables) {
    let after: Uint8Array | undefined
    do {
      const step = { limit: window, ...(after === undefined ? {} : { after }), signal }
      const found = await source.view(
        (ours) => target.view((theirs) => diverge(ours[table], theirs[table], step), { signal }),
        { signal },
      )
      const { onlyA: onlySource, onlyB: onlyTarget, differing } = found
      if (onlySource.length + onlyTarget.length + differing.length > 0) {
        yield { table, onlySource, onlyTarget, differing }
      }
      after = found.next
    } while (after !== undefined)
  }
}
