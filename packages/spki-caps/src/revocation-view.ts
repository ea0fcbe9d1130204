import type { ContentId, Envelope, Finding, KeyId } from '@vault/core'
import type { KeyDirectory } from './key-directory.ts'
import { principalText } from './principal.ts'
import { openRevocation, REVOCATION } from './revocation.ts'
import type { OpenRevocationSet, RevocationSet } from './revocation-set.ts'
import { openRevocationSet, REVOCATION_SET } from './revocation-set.ts'
import { isByPresentKeys, isSigned, readable } from './signed-records.ts'

/** What is known to be revoked, and how fresh that is. */
export interface RevocationView {
  /** The texts of the principals that revoked this certificate or key. Whether they may is seen in the chain. */
  revokers(target: ContentId | KeyId): readonly string[]
  /** The last whole set of the principal with this text; with `at`, in seconds since 1970, the last that had begun by then, if any had. */
  latest(by: string, at?: number): RevocationSet | undefined
  /** What was given and does not count, with `CAPS_REVOCATION_UNUSABLE`. */
  readonly unusable: readonly Finding[]
  /**
   * What the keeper of the revocations has and cannot read. While there is any, nobody knows what it revokes, so no certificate stands
   * (`CAPS_STALE`). Default: there is none.
   */
  readonly unread?: readonly Finding[]
  /** The texts of those with a set that does not count any more because the keys that signed it were replaced. Default: nobody has one. */
  readonly outdated?: ReadonlySet<string>
}

/**
 * Verifies revocations and sets of them, once for any number of questions. A revocation counts for ever, whether a set
 * lists it or not, and also when the vault that signed it has other keys now. A set, which says that nothing else is
 * revoked, counts only by present keys and only whole: each revocation that it lists must be given and good; and where two
 * sets of one issuer contradict each other, none of that issuer does.
 */
export function createRevocationView(given: {
  readonly revocations: Iterable<Envelope>
  readonly sets: Iterable<Envelope>
  readonly keys: KeyDirectory
}): RevocationView {
  const revokers = new Map<ContentId | KeyId, string[]>()
  const known = new Set<ContentId>()
  const unusable: Finding[] = []
  const refuse = (message: string, subject?: string) =>
    unusable.push({ code: 'CAPS_REVOCATION_UNUSABLE', message, ...(subject === undefined ? {} : { subject }) })

  for (const opened of readable(given.revocations, openRevocation, refuse)) {
    if (!isSigned(REVOCATION, opened, given.keys)) {
      refuse('The revocation is not signed by its issuer.', opened.id)
      continue
    }
    const { target, issuer } = opened.record
    const name = 'key' in target ? target.key : target.certificate.id
    const named = revokers.get(name)
    if (named === undefined) revokers.set(name, [principalText(issuer)])
    else named.push(principalText(issuer))
    known.add(opened.id)
  }

  const good = new Map<string, OpenRevocationSet[]>()
  const contradicted = new Set<string>()
  const outdated = new Set<string>()
  for (const opened of readable(given.sets, openRevocationSet, refuse)) {
    const missing = opened.record.revocations.find(({ id }) => !known.has(id))
    if (!isSigned(REVOCATION_SET, opened, given.keys)) refuse('The set is not signed by its issuer.', opened.id)
    else if (!isByPresentKeys(opened, given.keys)) {
      outdated.add(principalText(opened.record.issuer))
      refuse('The set is signed by replaced keys.', opened.id)
    } else if (missing !== undefined) refuse(`The set lists ${missing.id}, which is not here.`, opened.id)
    else {
      const by = principalText(opened.record.issuer)
      const others = good.get(by) ?? []
      const other = others.find((one) => contradicts(one, opened))
      if (other !== undefined) {
        contradicted.add(by)
        refuse(`The set contradicts ${other.id}, which has the same issuer.`, opened.id)
      }
      good.set(by, [...others, opened])
    }
  }
  return {
    revokers: (target) => revokers.get(target) ?? [],
    latest(by, at = Number.POSITIVE_INFINITY) {
      const sets = contradicted.has(by) ? [] : (good.get(by) ?? []).map(({ record }) => record)
      const begun = sets.filter(({ from }) => from <= at)
      return (begun.length > 0 ? begun : sets).toSorted((a, b) => b.seq - a.seq)[0]
    },
    unusable,
    outdated,
  }
}

/** Two sets with one number, one that does not name the other as the one before, or intervals that overlap. */
function contradicts(a: OpenRevocationSet, b: OpenRevocationSet): boolean {
  if (a.id === b.id) return false
  const [first, second] = a.record.seq < b.record.seq ? [a, b] : [b, a]
  if (first.record.seq === second.record.seq) return true
  if (second.record.from < first.record.next) return true
  return second.record.seq === first.record.seq + 1 && second.record.prev?.id !== first.id
}
