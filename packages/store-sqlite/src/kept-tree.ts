import type { Prefix, Subtree } from '@vault/core'
import { copyBytes } from '@vault/core'
import type { Children, TreeName } from './branch-rows.ts'
import {
  branchPrefixes,
  deleteBranches,
  deleteTree,
  readAsOf,
  readBranch,
  writeAsOf,
  writeBranch,
} from './branch-rows.ts'
import type { Connection } from './connection.ts'
import { DirtyMarks } from './dirty-marks.ts'
import { feedAfter } from './feed.ts'
import { isEntryItem, itemKey } from './feed-items.ts'
import type { Moment } from './moment.ts'
import { shortenMovingFeed } from './moving-feed.ts'
import { unlessDamaged } from './sqlite-error.ts'
import type { TenureRow } from './tenure-row.ts'
import { readTenure } from './tenure-row.ts'

/** Branches that are written in one transaction, at most: others wait for it some tens of milliseconds. */
const MAX_WRITTEN = 1_024
/** Where more is marked, the branches that there are are listed: of most prefixes there is none. */
const FEW_MARKS = 1_024

const DIGITS = Array.from('0123456789abcdef')
const NONE: Children = DIGITS.map(() => undefined)

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
  /** By the prefix one digit shorter, as they are written. */
  #gathered = new Map<Prefix, (Subtree | undefined)[]>()
  /** Set once this view has written: then what is kept belongs to it. */
  #written = false

  constructor(moment: Moment, tree: TreeName, write: WriteIfFree) {
    this.#moment = moment
    this.#tree = tree
    this.#write = write
  }

  children(prefix: Prefix): Children {
    const { marks } = this.#find()
    if (marks === undefined || marks.hasAllBelow(prefix)) return NONE
    const { db, at } = this.#moment
    const children = this.#moment.read(() => readBranch(db, at.vault, this.#tree, prefix))
    return children?.map((child, i) => (marks.has(`${prefix}${DIGITS[i]}`) ? undefined : child)) ?? NONE
  }

  async keep(subtrees: ReadonlyMap<Prefix, Subtree>): Promise<void> {
    for (const [prefix, { hash, count }] of subtrees) {
      // The whole tree is below no prefix, so nobody would find it.
      if (prefix === '') continue
      const above = prefix.slice(0, -1)
      const children = this.#gathered.get(above) ?? [...NONE]
      children[Number.parseInt(prefix.slice(-1), 16)] = { hash: copyBytes(hash), count }
      this.#gathered.set(above, children)
    }
    if (this.#gathered.size >= MAX_WRITTEN) await this.flush()
  }

  /** Writes what was gathered, unless another view has written since this one began; or that what is kept is of this view too. */
  async flush(): Promise<void> {
    if (this.#gathered.size === 0 && !this.#isUnchanged()) return
    const { asOf, marks } = this.#find()
    const gathered = this.#gathered
    this.#gathered = new Map()
    const { vault, tenure } = this.#moment.at
    const isFirst = !this.#written
    if (isFirst && marks !== undefined && !(await this.#forgetBefore(asOf, marks))) return
    await this.#writeIfStill(isFirst ? asOf : tenure.sequence, (db, now) => {
      if (isFirst) {
        if (marks === undefined) deleteTree(db, vault, this.#tree)
        else this.#forget(db, this.#stale(db, marks), marks)
        writeAsOf(db, vault, this.#tree, tenure.sequence)
      }
      for (const [prefix, fresh] of gathered) this.#merge(db, prefix, fresh, isFirst ? marks : undefined)
      this.#written = true
      shortenMovingFeed(db, now)
    })
  }

  /**
   * Forgets in short transactions what is too much for one, which is never wrong. The last one looks again all the same: until then views of the
   * time to which the kept subtrees belong may keep more. `false` where nothing can be written, or another view has.
   */
  async #forgetBefore(asOf: number | undefined, marks: DirtyMarks): Promise<boolean> {
    const stale = this.#moment.read(() => this.#stale(this.#moment.db, marks))
    for (let from = 0; stale.length - from > MAX_WRITTEN; from += MAX_WRITTEN) {
      const some = stale.slice(from, from + MAX_WRITTEN)
      if (!(await this.#writeIfStill(asOf, (db) => this.#forget(db, some, marks)))) return false
    }
    return true
  }

  /** Writes where what is kept still belongs to this sequence number; whether it was written. */
  async #writeIfStill(asOf: number | undefined, write: (db: Connection, now: TenureRow) => void): Promise<boolean> {
    const { vault, tenure } = this.#moment.at
    let isWritten = false
    await this.#write((db) => {
      const now = readTenure(db, tenure.vault)
      if (now?.vault !== vault || readAsOf(db, vault, this.#tree) !== asOf) return
      write(db, now)
      isWritten = true
    })
    return isWritten
  }

  /**
   * Prefixes of the branches in which something is marked, and of those under what is marked. Where little is marked, those that may be there, and
   * of what lies under a bucket only the bucket.
   */
  #stale(db: Connection, marks: DirtyMarks): readonly Prefix[] {
    if (marks.size <= FEW_MARKS) return [...marks.prefixes()]
    return branchPrefixes(db, this.#moment.at.vault, this.#tree).filter((prefix) => marks.has(prefix))
  }

  #forget(db: Connection, stale: readonly Prefix[], marks: DirtyMarks): void {
    for (const prefix of stale) {
      if (marks.hasAllBelow(prefix)) deleteBranches(db, this.#moment.at.vault, this.#tree, prefix)
      else this.#merge(db, prefix, NONE, marks)
    }
  }

  /** Writes children over what is there, without what is marked. */
  #merge(db: Connection, prefix: Prefix, fresh: Children, marks: DirtyMarks | undefined): void {
    const { vault } = this.#moment.at
    const before = readBranch(db, vault, this.#tree, prefix)
    const children = DIGITS.map((digit, i) => fresh[i] ?? (marks?.has(prefix + digit) ? undefined : before?.[i]))
    if (before?.every((child, i) => child === children[i])) return
    writeBranch(db, vault, this.#tree, prefix, children)
  }

  /** Whether the view has found that only other things have changed since what is kept was computed. */
  #isUnchanged(): boolean {
    const { asOf, marks } = this.#found ?? {}
    return asOf !== undefined && asOf < this.#moment.at.tenure.sequence && marks?.has('') === false
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
        if (isEntryItem(item) === (this.#tree === 'entries')) marks.mark(itemKey(item))
      }
    }
    return sequence === at.tenure.sequence ? marks : undefined
  }
}
