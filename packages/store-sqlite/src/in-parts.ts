import type { KeyRange } from './key-range.ts'
import { keyRange } from './key-range.ts'
import { nextTurn } from './turn.ts'

/** Rows read in one go: some 30 ms. */
const PART = 4096

/** Reads what is asked for part by part, each of one moment, and lets other work of this process run in between. */
export async function inParts<Asked, Found>(
  asked: readonly Asked[],
  read: (part: readonly Asked[]) => Promise<readonly Found[]>,
): Promise<readonly Found[]> {
  if (asked.length <= PART) return read(asked)
  const found: Found[] = []
  for (let i = 0; i < asked.length; i += PART) {
    if (i > 0) await nextTurn()
    found.push(...(await read(asked.slice(i, i + PART))))
  }
  return found
}

/** {@link inParts} for the first rows of a table after a key. */
export async function inPages<Row extends { readonly key: Uint8Array }>(
  { after, limit }: { readonly after?: Uint8Array; readonly limit: number },
  read: (range: KeyRange) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const found: Row[] = []
  for (;;) {
    const wanted = Math.min(PART, limit - found.length)
    const page = await read(keyRange('', found.at(-1)?.key ?? after, wanted))
    found.push(...page)
    if (page.length < wanted || found.length === limit) return found
    await nextTurn()
  }
}
