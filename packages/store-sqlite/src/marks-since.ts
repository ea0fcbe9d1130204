import type { TreeName } from './branch-rows.ts'
import { DirtyMarks } from './dirty-marks.ts'
import { feedAfter } from './feed.ts'
import { isEntryItem, itemKey } from './feed-items.ts'
import type { Moment } from './moment.ts'
import { unlessDamaged } from './sqlite-error.ts'
import { nextTurn } from './turn.ts'

/** Items of the feed that are looked at before other work of this process runs, and what else is of the same change: some ten milliseconds. */
const MAX_MARKED = 8_192

/** What has changed in a tree after a sequence number, by the feed; `undefined`: that cannot be told. */
export async function marksSince(moment: Moment, tree: TreeName, after: number): Promise<DirtyMarks | undefined> {
  const marks = new DirtyMarks()
  let sequence: number | undefined = after
  while (sequence !== undefined && sequence < moment.at.tenure.sequence) {
    if (sequence > after) await nextTurn()
    const from: number = sequence
    sequence = moment.read(() => unlessDamaged(() => markFrom(moment, tree, marks, from)))
  }
  return sequence === undefined ? undefined : marks
}

/** Marks what some changes after this one were about, and gives the number of the last of them; `undefined` where the next one is missing. */
function markFrom({ db, at }: Moment, tree: TreeName, marks: DirtyMarks, after: number): number | undefined {
  let sequence = after
  let items = 0
  for (const row of feedAfter(db, at.vault, after)) {
    if (row.sequence !== sequence + 1) return undefined
    sequence = row.sequence
    for (const item of row.items()) {
      items++
      if (isEntryItem(item) === (tree === 'entries')) marks.mark(itemKey(item))
    }
    if (items >= MAX_MARKED) break
  }
  return sequence === after ? undefined : sequence
}
