import type { KeyId } from '@vault/core'
import { unrevoked } from './check-cert.ts'
import { checkFreshness } from './freshness.ts'
import { jointPathsOf } from './joint-paths.ts'
import { operatorsOf } from './key-directory.ts'
import type { HeldAuthority } from './list-authority.ts'
import { heldFrom, heldTogether, listWays } from './list-authority.ts'
import { covers } from './meet.ts'
import { issuingTexts, partTexts } from './principal.ts'
import type { Question } from './question.ts'
import type { Hearing } from './speak.ts'
import { speak } from './speak.ts'
import { knownVoices } from './voices.ts'
import type { AuthorityView } from './ways-from.ts'

/**
 * Who may do what is asked: each by the chains that grant all of it, also those that are only shares, and by shares that are enough
 * together. A root whose revocations are not known so freshly as the action needs grants it to nobody.
 */
export function whoCan(
  { action, tag }: Pick<Question, 'action' | 'tag'>,
  view: AuthorityView,
): readonly HeldAuthority[] {
  const roots = view.roots.filter((root) => 'note' in checkFreshness(root, action, view))
  return listWays({ ...view, roots }).flatMap((ways) => heldFrom(ways, tag))
}

/** What somebody may do. */
export interface KeysAuthority {
  /** What these keys hold by themselves. */
  readonly alone: readonly HeldAuthority[]
  /** What one of them has a part in, with others who are not among them. */
  readonly together: readonly HeldAuthority[]
  /** What others hold from whom these keys may have more, because what they granted on goes more ways than are looked at. */
  readonly unlisted: readonly HeldAuthority[]
}

/**
 * What these keys may do when all of them sign, and what they could if others did as well. How fresh sets of revocations are is not looked
 * at.
 */
export function whatCan(keys: Iterable<KeyId>, view: AuthorityView): KeysAuthority {
  const voices = knownVoices(keys)
  const hearing: Hearing = {
    voices: unrevoked(voices, view, new Set()),
    operators: (vault) => operatorsOf(view.keys, vault),
  }
  const own = new Set(voices.claimed.flatMap(issuingTexts))
  const alone: HeldAuthority[] = []
  const together: HeldAuthority[] = []
  const unlisted: HeldAuthority[] = []
  for (const ways of listWays(view)) {
    const held: HeldAuthority[] = []
    // Shares of one and of another may be enough when both sign.
    const { joint, unsettled } = jointPathsOf(voices.claimed, ways)
    const all = heldFrom({ ...ways, unlisted: ways.unlisted.union(unsettled) })
    for (const each of all) {
      if (each.shares.length === 0 && speak(each.holder, hearing).ok) held.push(each)
      else if (partsOf(each.holder, hearing).some((text) => own.has(text))) together.push(each)
      else if (each.more) unlisted.push(each)
    }
    alone.push(...held)
    for (const each of joint)
      if (!held.some(({ tag }) => covers(tag, each.held.tag))) alone.push(heldTogether(ways.root, each))
  }
  return { alone, together, unlisted }
}

/** All who can speak for a principal, alone or with others. */
function partsOf(holder: HeldAuthority['holder'], { operators }: Hearing): readonly string[] {
  const named = typeof holder === 'object' && 'vault' in holder ? operators(holder.vault.id)?.keys : undefined
  return named ?? partTexts(holder)
}
