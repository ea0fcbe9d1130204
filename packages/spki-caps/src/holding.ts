import { isVaultError } from '@vault/core'
import { Above } from './above.ts'
import type { OpenCapCert } from './cap-cert.ts'
import { meet } from './meet.ts'
import type { OpenNameCert } from './name-cert.ts'
import type { Resolution } from './name-link.ts'
import type { Principal } from './principal.ts'
import { partTexts, principalText } from './principal.ts'
import { secondsOf } from './record.ts'
import type { Root } from './root.ts'
import type { Tag } from './tag.ts'

/** What a principal holds after a link of a chain, everything before it taken into account. */
export interface Holding {
  readonly subject: Principal
  /** The texts of the subject and, of a threshold, of all who have a part in it. */
  readonly parts: ReadonlySet<string>
  readonly tag: Tag
  /** Seconds since 1970; `Infinity` for ever. */
  readonly expires: number
  /** How many certificates may follow. */
  readonly left: number
  /** Whether the last link let the subject grant it on. */
  readonly delegate: boolean
  /** Those from whom it comes: they may revoke what follows. */
  readonly upstream: Above
  /** The texts of the names that have led here since it was last granted: none of them leads on to here again. */
  readonly resolved: ReadonlySet<string>
}

export function holdingOfRoot({ subject, tag, delegate, depth, expires, revocations }: Root, limit: number): Holding {
  const keeper = revocations === 'none' ? [] : [principalText(revocations)]
  return {
    subject,
    parts: new Set(partTexts(subject)),
    tag,
    expires: expires === undefined ? Number.POSITIVE_INFINITY : secondsOf(expires),
    left: delegate ? Math.min(depth ?? limit, limit) : 0,
    delegate,
    upstream: new Above([principalText(subject), ...keeper]),
    resolved: new Set(),
  }
}

/** What is held by one who has a part in all of these: only what each of them grants. `undefined`: nothing. */
function joinHoldings(holdings: readonly Holding[]): Omit<Holding, 'subject' | 'parts'> | undefined {
  const [first, ...others] = holdings
  if (first !== undefined && others.length === 0) return first
  const joint = jointGrant(holdings)
  if (joint === undefined) return undefined
  return {
    ...joint,
    left: Math.min(...holdings.map(({ left }) => left)),
    delegate: holdings.every(({ delegate }) => delegate),
    upstream: new Above(
      [],
      holdings.map(({ upstream }) => upstream),
    ),
    resolved: new Set(holdings.flatMap(({ resolved }) => [...resolved])),
  }
}

/** What each of these grants, and for how long. `undefined`: nothing. Throws `CAPS_TAG_INVALID` where that would be larger than a tag may be. */
function jointGrant(holdings: readonly Holding[]): Pick<Holding, 'tag' | 'expires'> | undefined {
  const [first, ...others] = holdings
  let tag = first?.tag
  for (const other of others) tag = tag === undefined ? undefined : meet(tag, other.tag)
  if (tag === undefined) return undefined
  return { tag, expires: holdings.reduce((least, { expires }) => Math.min(least, expires), Number.POSITIVE_INFINITY) }
}

/** What is held after several links may be too large to write down; it is then as if there were nothing. */
export function joinOrUndefined(parents: readonly Holding[]): ReturnType<typeof joinHoldings> {
  return orUndefined(() => joinHoldings(parents))
}

export function jointOrUndefined(holdings: readonly Holding[]): ReturnType<typeof jointGrant> {
  return orUndefined(() => jointGrant(holdings))
}

function orUndefined<T>(join: () => T | undefined): T | undefined {
  try {
    return join()
  } catch (error) {
    if (isVaultError(error, 'CAPS_TAG_INVALID')) return undefined
    throw error
  }
}

/** What is held by one for whom a name stands, given what is held by the name: all of it, for as long as he is called so. */
export function holdingNamed(
  held: Omit<Holding, 'subject' | 'parts'>,
  { record }: OpenNameCert,
  { name, into }: Resolution,
): Holding {
  return {
    ...held,
    subject: into,
    parts: new Set(partTexts(into)),
    expires: Math.min(held.expires, record.expires ?? Number.POSITIVE_INFINITY),
    upstream: new Above([principalText(record.issuer)], [held.upstream]),
    resolved: new Set([...held.resolved, principalText(name)]),
  }
}

/** What the subject of a certificate holds, given what its issuer holds, what of that the certificate grants, and all who are above. */
export function holdingAfter(
  held: Omit<Holding, 'subject' | 'parts'>,
  { record }: OpenCapCert,
  { tag, upstream }: Pick<Holding, 'tag' | 'upstream'>,
): Holding {
  const { subject, delegate, depth, expires } = record
  return {
    subject,
    parts: new Set(partTexts(subject)),
    tag,
    expires: Math.min(held.expires, expires ?? Number.POSITIVE_INFINITY),
    left: delegate ? Math.min(held.left - 1, depth ?? Number.POSITIVE_INFINITY) : 0,
    delegate,
    upstream,
    resolved: new Set(),
  }
}
