import { compareBytes } from '@vault/core'
import type { HeldAuthority, ListedPath } from './list-authority.ts'
import { listPaths } from './list-authority.ts'
import { covers } from './meet.ts'
import { TagIndex } from './tag-index.ts'
import type { AuthorityView } from './ways-from.ts'

/** What two views of authority have and have not in common. */
export interface AuthorityDiff {
  /** What the first grants and the second grants as well, or more. */
  readonly kept: readonly HeldAuthority[]
  /** What the second grants and the first does not. A vault that was moved must have none. */
  readonly gained: readonly HeldAuthority[]
  /** What the first grants and the second does not, or not for so long, or not so far. */
  readonly lost: readonly HeldAuthority[]
  /**
   * What is held in one of them from which so much was granted on that not all of it was looked at, and so is not compared. None of
   * that is more than this.
   */
  readonly unlisted: readonly HeldAuthority[]
}

/**
 * What changed between two places, or at one place between two times: by root, subject, tag and end, and not by
 * certificate, so that one which is replaced by another that grants the same is no change. What waits for
 * validations counts as validated, and as less than what waits for none. What is granted by several chains only together is there as
 * the share of each member that gave one, and not as a whole: more may be reported than has changed, and never less but
 * below what is `unlisted`.
 */
export function diffAuthority(a: AuthorityView, b: AuthorityView): AuthorityDiff {
  const [before, after] = [listPaths(comparable(a)), listPaths(comparable(b))]
  const [had, has] = [byHolder(before), byHolder(after)]
  const isIn = (there: ByHolder, path: ListedPath) =>
    there.get(holderOf(path))?.someOver(path.held.tag, (other) => grantsAll(other, path)) === true
  const unlisted = [...before, ...after].flatMap(({ held }) => (held.more ? [held] : []))
  const cut = new Set(unlisted.flatMap(({ chain }) => chain.slice(-1)))
  const isListed = ({ held: { chain } }: ListedPath) => !chain.slice(0, -1).some((id) => cut.has(id))
  const those = (paths: readonly ListedPath[]) => paths.map(({ held }) => held)
  return {
    kept: those(before.filter((path) => isIn(has, path))),
    gained: those(after.filter((path) => !isIn(had, path) && isListed(path))),
    lost: those(before.filter((path) => !isIn(has, path) && isListed(path))),
    unlisted,
  }
}

/** Where more names are given than are followed, two places with the same certificates follow the same ones. */
function comparable(view: AuthorityView): AuthorityView {
  const certificates = [...view.certificates].sort((a, b) => compareBytes(a.payload, b.payload))
  return { ...view, certificates, tests: 'assumed' }
}

/** By holder: everybody's authority is compared with his own, and not with that of all others. */
type ByHolder = ReadonlyMap<string, TagIndex<ListedPath>>

function byHolder(all: readonly ListedPath[]): ByHolder {
  const found = new Map<string, TagIndex<ListedPath>>()
  for (const path of all) {
    const own = found.get(holderOf(path)) ?? new TagIndex()
    own.add(path.held.tag, path)
    found.set(holderOf(path), own)
  }
  return found
}

/** Shares that different members of a threshold gave, or others who are called so, are different: one more, or one less, may be what makes them enough. */
function holderOf({ held: { root, subject, shares, parts }, givers }: ListedPath): string {
  return JSON.stringify([root, subject, shares, parts, givers])
}

function grantsAll({ held: a, assumed }: ListedPath, { held: b, assumed: more }: ListedPath): boolean {
  return (
    assumed.isSubsetOf(more) &&
    (a.expires === null || (b.expires !== null && a.expires >= b.expires)) &&
    a.left >= b.left &&
    covers(a.tag, b.tag)
  )
}
