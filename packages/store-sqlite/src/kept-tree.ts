import type { Prefix, Subtree } from '@vault/core'
import { copyBytes } from '@vault/core'
import type { AsOf, Children, TreeName } from './branch-rows.ts'
import {
  branchPrefixes,
  deleteBranches,
  emptyTree,
  readAsOf,
  readBranch,
  writeAsOf,
  writeBranch,
} from './branch-rows.ts'
import type { Connection } from './connection.ts'
import type { DirtyMarks } from './dirty-marks.ts'
import { marksSince } from './marks-since.ts'
import type { Moment } from './moment.ts'
import { shortenMovingFeed } from './moving-feed.ts'
import type { TenureRow } from './tenure-row.ts'
import { readTenure } from './tenure-row.ts'
import { nextTurn } from './turn.ts'

/** Branches that are written in one transaction, at most: others wait for it some tens of milliseconds. */
const MAX_WRITTEN = 1_024
/** So many prefixes are looked up in one transaction. Where more are marked, the branches that there are are gone through: of most prefixes there is none. */
const FEW_MARKS = 1_024
/** Branches that are passed over in one transaction, at most. */
const MAX_PASSED = 8_192

const DIGITS = Array.from('0123456789abcdef')
const NONE: Children = DIGITS.map(() => undefined)

/** Runs a transaction, or does nothing where the store is only read, busy or full. */
export type WriteIfFree = (write: (db: Connection) => void) => Promise<void>

/** The kept subtrees as a view finds them. */
interface Found {
  /** What they belong to; `undefined`: none were ever kept. */
  readonly asOf: AsOf | undefined
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
  #found: Promise<Found> | undefined
  /** By the prefix one digit shorter, as they are written. */
  #gathered = new Map<Prefix, (Subtree | undefined)[]>()
  /** Set once this view has written: then what is kept belongs to it. */
  #written = false

  constructor(moment: Moment, tree: TreeName, write: WriteIfFree) {
    this.#moment = moment
    this.#tree = tree
    this.#write = write
  }

  async children(prefix: Prefix): Promise<Children> {
    const { marks } = await this.#find()
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
    if (this.#gathered.size === 0 && !(await this.#isUnchanged())) return
    const { vault, tenure } = this.#moment.at
    const own: AsOf = { sequence: tenure.sequence, isClosed: false }
    const gathered = this.#gathered
    this.#gathered = new Map()
    const { asOf, marks } = await this.#find()
    if (this.#written) {
      await this.#writeIfStill(own, (db) => this.#mergeAll(db, gathered, undefined))
      return
    }
    const isMuch = asOf !== undefined && marks !== undefined && marks.size > FEW_MARKS
    const closed = isMuch ? await this.#forgetMuch(asOf, marks) : undefined
    if (isMuch && closed === undefined) return
    await this.#writeIfStill(closed ?? asOf, (db, now) => {
      if (marks === undefined) emptyTree(db, vault, this.#tree, tenure.sequence)
      else if (!isMuch) this.#forget(db, marks.prefixes(), marks)
      writeAsOf(db, vault, this.#tree, own)
      this.#mergeAll(db, gathered, marks)
      this.#written = true
      shortenMovingFeed(db, now)
    })
  }

  /**
   * Forgets in short transactions what is too much for one, which is never wrong. The first one closes what is kept to views of the time to which
   * it belongs: they would keep more of what is marked behind the place that this has come to. `undefined` where nothing can be written, or
   * another view has.
   */
  async #forgetMuch({ sequence }: AsOf, marks: DirtyMarks): Promise<AsOf | undefined> {
    const { vault } = this.#moment.at
    const closed: AsOf = { sequence, isClosed: true }
    if (!(await this.#writeIfStill({ sequence }, (db) => writeAsOf(db, vault, this.#tree, closed)))) return undefined
    let from: Prefix | undefined = ''
    while (from !== undefined) {
      await nextTurn()
      const begin: Prefix = from
      const isWritten = await this.#writeIfStill(closed, (db) => {
        from = this.#forgetFrom(db, begin, marks)
      })
      if (!isWritten) return undefined
    }
    return closed
  }

  /** Takes out what is marked in some branches from this prefix on, and says where to go on; `undefined`: these were the last. */
  #forgetFrom(db: Connection, from: Prefix, marks: DirtyMarks): Prefix | undefined {
    const stale: Prefix[] = []
    let next: Prefix | undefined
    let passed = 0
    for (const prefix of branchPrefixes(db, this.#moment.at.vault, this.#tree, from)) {
      if (stale.length === MAX_WRITTEN || passed === MAX_PASSED) {
        next = prefix
        break
      }
      passed++
      if (marks.has(prefix)) stale.push(prefix)
    }
    this.#forget(db, stale, marks)
    return next
  }

  /**
   * Writes where what is kept still belongs to this, closed or not where that is not said; whether it was written. It never belongs to an earlier
   * state than before, so that nobody can have written in between.
   */
  async #writeIfStill(
    asOf: { readonly sequence: number; readonly isClosed?: boolean } | undefined,
    write: (db: Connection, now: TenureRow) => void,
  ): Promise<boolean> {
    const { vault, tenure } = this.#moment.at
    let isWritten = false
    await this.#write((db) => {
      const now = readTenure(db, tenure.vault)
      const current = readAsOf(db, vault, this.#tree)
      if (now?.vault !== vault || current?.sequence !== asOf?.sequence) return
      if (asOf?.isClosed !== undefined && current?.isClosed !== asOf.isClosed) return
      write(db, now)
      isWritten = true
    })
    return isWritten
  }

  /** Takes out what is marked in branches, and those under what is. */
  #forget(db: Connection, stale: Iterable<Prefix>, marks: DirtyMarks): void {
    for (const prefix of stale) {
      if (marks.hasAllBelow(prefix)) deleteBranches(db, this.#moment.at.vault, this.#tree, prefix)
      else this.#merge(db, prefix, NONE, marks)
    }
  }

  #mergeAll(db: Connection, gathered: ReadonlyMap<Prefix, Children>, marks: DirtyMarks | undefined): void {
    for (const [prefix, fresh] of gathered) this.#merge(db, prefix, fresh, marks)
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
  async #isUnchanged(): Promise<boolean> {
    const { asOf, marks } = (await this.#found) ?? {}
    return asOf !== undefined && asOf.sequence < this.#moment.at.tenure.sequence && marks?.has('') === false
  }

  #find(): Promise<Found> {
    this.#found ??= this.#look()
    return this.#found
  }

  async #look(): Promise<Found> {
    const { db, at } = this.#moment
    const asOf = this.#moment.read(() => readAsOf(db, at.vault, this.#tree))
    const reached = asOf !== undefined && asOf.sequence >= at.oldest && asOf.sequence <= at.tenure.sequence
    return { asOf, marks: reached ? await marksSince(this.#moment, this.#tree, asOf.sequence) : undefined }
  }
}
