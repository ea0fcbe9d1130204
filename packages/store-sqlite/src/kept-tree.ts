import type { Prefix, Subtree } from '@vault/core'
import { copyBytes } from '@vault/core'
import type { Connection } from './connection.ts'
import { DirtyMarks } from './dirty-marks.ts'
import { feedAfter } from './feed.ts'
import { isEntryItem } from './feed-items.ts'
import type { Moment } from './moment.ts'
import type { TreeName } from './subtree-rows.ts'
import {
  deleteMarked,
  deleteTree,
  readAsOf,
  readChildren,
  unlessDamaged,
  writeAsOf,
  writeSubtrees,
} from './subtree-rows.ts'
import { readTenure } from './tenure-row.ts'

/** Subtrees gathered before they are written in one transaction, at most. */
const MAX_GATHERED = 32_768

const NONE: readonly undefined[] = Array.from({ length: 16 }, () => undefined)

/** Runs a transaction, or does nothing where the store is only read, busy or full. */
export type WriteIfFree = (write: (db: Connection) => void) => Promise<void>

/** The kept subtrees as a view finds them. */
interface Found {
  /** The sequence number they belong to; `undefined`: none are kept. */
  readonly asOf: number | undefined
  /** What has changed between then and the view; `undefined`: it cannot be told. */
  readonly marks: DirtyMarks | undefined
}

/**
 * The kept subtrees of one tree as a view sees them. A change leaves no marks when it is made: what has changed since
 * the subtrees were kept is read from the feed, once for a view.
 */
export class KeptTree {
  readonly #moment: Moment
  readonly #tree: TreeName
  readonly #write: WriteIfFree
  #found: Found | undefined
  #gathered = new Map<Prefix, Subtree>()
  /** Set once this view has written: then what is kept belongs to it. */
  #written = false

  constructor(moment: Moment, tree: TreeName, write: WriteIfFree) {
    this.#moment = moment
    this.#tree = tree
    this.#write = write
  }

  children(prefix: Prefix): readonly (Subtree | undefined)[] {
    const { marks } = this.#find()
    if (marks === undefined) return NONE
    const { db, at } = this.#moment
    const children = this.#moment.read(() => readChildren(db, at.vault, this.#tree, prefix))
    return children.map((child, digit) => (marks.has(prefix + digit.toString(16)) ? undefined : child))
  }

  async keep(subtrees: ReadonlyMap<Prefix, Subtree>): Promise<void> {
    for (const [prefix, { hash, count }] of subtrees) this.#gathered.set(prefix, { hash: copyBytes(hash), count })
    if (this.#gathered.size >= MAX_GATHERED) await this.flush()
  }

  /** Writes what was gathered, unless another view has written since this one began. */
  async flush(): Promise<void> {
    if (this.#gathered.size === 0) return
    const { asOf, marks } = this.#find()
    const gathered = this.#gathered
    this.#gathered = new Map()
    const { vault, tenure } = this.#moment.at
    await this.#write((db) => {
      const expected = this.#written ? tenure.sequence : asOf
      if (readTenure(db, tenure.vault)?.vault !== vault || readAsOf(db, vault, this.#tree) !== expected) return
      if (!this.#written) {
        if (marks === undefined) deleteTree(db, vault, this.#tree)
        else deleteMarked(db, vault, this.#tree, marks)
        writeAsOf(db, vault, this.#tree, tenure.sequence)
      }
      writeSubtrees(db, vault, this.#tree, gathered)
      this.#written = true
    })
  }

  #find(): Found {
    this.#found ??= this.#moment.read(() => {
      const { db, at } = this.#moment
      const asOf = readAsOf(db, at.vault, this.#tree)
      const reached = asOf !== undefined && asOf >= at.oldest && asOf <= at.tenure.sequence
      return { asOf, marks: reached ? unlessDamaged(() => this.#marksAfter(asOf)) : undefined }
    })
    return this.#found
  }

  #marksAfter(asOf: number): DirtyMarks | undefined {
    const { db, at } = this.#moment
    const marks = new DirtyMarks()
    let sequence = asOf
    for (const row of feedAfter(db, at.vault, asOf)) {
      if (row.sequence !== sequence + 1) return undefined
      sequence = row.sequence
      for (const item of row.items()) {
        if (isEntryItem(item) === (this.#tree === 'entries')) marks.mark(item.bucket)
      }
    }
    return sequence === at.tenure.sequence ? marks : undefined
  }
}
