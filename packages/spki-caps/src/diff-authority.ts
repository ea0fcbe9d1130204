import { compareBytes } from '@vault/core'
import type { AuthorityView, HeldAuthority } from './list-authority.ts'
import { listAuthority } from './list-authority.ts'
import { covers } from './meet.ts'

/** What two views of authority have and have not in common. */
export interface AuthorityDiff {
  /** What the first grants and the second grants as well, or more. */
  readonly kept: readonly HeldAuthority[]
  /** What the second grants and the first does not. A vault that was moved must have none. */
  readonly gained: readonly HeldAuthority[]
  /** What the first grants and the second does not, or not for so long, or not so far. */
  readonly lost: readonly HeldAuthority[]
}

/**
 * What changed between two places, or at one place between two times: by root, subject, tag and end, and not by
 * certificate, so that one which is replaced by another that grants the same is no change. What is granted by several
 * chains only together counts as not granted by any: more may be reported than has changed, and never less. Throws what
 * {@link listAuthority} throws.
 */
export function diffAuthority(a: AuthorityView, b: AuthorityView): AuthorityDiff {
  const [before, after] = [listAuthority(comparable(a)), listAuthority(comparable(b))]
  const [had, has] = [byHolder(before), byHolder(after)]
  const isIn = (there: ByHolder, held: HeldAuthority) =>
    (there.get(holderOf(held)) ?? []).some((other) => grantsAll(other, held))
  return {
    kept: before.filter((held) => isIn(has, held)),
    gained: after.filter((held) => !isIn(had, held)),
    lost: before.filter((held) => !isIn(has, held)),
  }
}

/** Where more names are given than are followed, two places with the same certificates follow the same ones. */
function comparable(view: AuthorityView): AuthorityView {
  const certificates = [...view.certificates].sort((a, b) => compareBytes(a.payload, b.payload))
  return { ...view, certificates, tests: 'assumed' }
}

/** By holder: everybody's authority is compared with his own, and not with that of all others. */
type ByHolder = ReadonlyMap<string, readonly HeldAuthority[]>

function byHolder(all: readonly HeldAuthority[]): ByHolder {
  const found = new Map<string, HeldAuthority[]>()
  for (const held of all) {
    const own = found.get(holderOf(held))
    if (own === undefined) found.set(holderOf(held), [held])
    else own.push(held)
  }
  return found
}

function holderOf({ root, subject, shares }: HeldAuthority): string {
  return JSON.stringify([root, subject, shares])
}

function grantsAll(a: HeldAuthority, b: HeldAuthority): boolean {
  return (
    (a.expires === null || (b.expires !== null && a.expires >= b.expires)) && a.left >= b.left && covers(a.tag, b.tag)
  )
}
