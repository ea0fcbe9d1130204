import type { AbortOptions } from '@vault/core'
import { toHex } from '@vault/core'
import { setRoot } from '@vault/merkle'
import type { Counts, SoupReader, SoupView } from '@vault/soup'

/** The roots of a vault's two set trees, 64 lower-case hexadecimal digits each. */
export interface Roots {
  readonly objects: string
  readonly soup: string
}

/** What a vault is at one moment: two vaults with equal roots hold the same objects and the same entries. */
export interface Statement {
  /** Number of the latest change in it. */
  readonly sequence: number
  readonly roots: Roots
  readonly counts: Counts
}

/** States a vault, both roots over one view. Costs what changed since roots were last asked for. */
export function statementOf(soup: SoupReader, options?: AbortOptions): Promise<Statement> {
  return soup.view((view) => statementOfView(view, options), options)
}

async function statementOfView(view: SoupView, options?: AbortOptions): Promise<Statement> {
  const objects = await setRoot(view.objects, options)
  const entries = await setRoot(view.entries, options)
  return {
    sequence: view.sequence,
    roots: { objects: toHex(objects.hash), soup: toHex(entries.hash) },
    // Counted under the roots, so that equal roots mean equal numbers; the bytes are the soup's own sum.
    counts: { objects: objects.count, bytes: view.counts.bytes, entries: entries.count },
  }
}

/** Whether two statements are of the same content. */
export function sameRoots(a: Statement, b: Statement): boolean {
  return a.roots.objects === b.roots.objects && a.roots.soup === b.roots.soup
}
