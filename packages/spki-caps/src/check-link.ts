import { isVaultError, reasonOf } from '@vault/core'
import type { Holding } from './holding.ts'
import { covers, meet } from './meet.ts'
import { principalText } from './principal.ts'
import type { Outcome } from './refusal.ts'
import { refuse } from './refusal.ts'
import type { Tag } from './tag.ts'
import { tagText } from './tag-text.ts'

// What is seen of a certificate in the light of what its issuer holds.

/** Whether those from whom it comes let it be granted on, so far. */
export function checkDelegation(parents: readonly Holding[]): Outcome {
  const barred = parents.find(({ left }) => left < 1)
  if (barred === undefined) return { note: `${Math.min(...parents.map(({ left }) => left))} more may follow` }
  const have = principalText(barred.subject)
  if (!barred.delegate) return refuse('CAPS_NOT_DELEGABLE', 'its issuer may not grant it on', { have })
  return refuse('CAPS_TOO_DEEP', 'the chain is as long as it may be', { have: '0', asked: '1' })
}

/** What of the tag its issuer holds. */
export function meetTags(held: Tag | undefined, granted: Tag): { readonly outcome: Outcome; readonly tag?: Tag } {
  const sides = () => ({ have: held === undefined ? 'nothing' : tagText(held), asked: tagText(granted) })
  try {
    const tag = held === undefined ? undefined : meet(held, granted)
    if (tag !== undefined) return { outcome: { note: tagText(tag) }, tag }
    return { outcome: refuse('CAPS_TAG_EMPTY', 'what it grants its issuer does not hold', sides()) }
  } catch (error) {
    if (!isVaultError(error, 'CAPS_TAG_INVALID')) throw error
    return { outcome: refuse('CAPS_TOO_LARGE', reasonOf(error), sides()) }
  }
}

/** The note where all that is held covers what is asked, which is in the step itself. */
export const COVERED = 'granted by all that is held'

/** Whether all that is held covers what is asked. */
export function checkCoverage(holdings: readonly Holding[], asked: Tag): Outcome {
  const short = holdings.find(({ tag }) => !covers(tag, asked))
  if (short === undefined) return { note: COVERED }
  return refuse('CAPS_NOT_COVERED', `${principalText(short.subject)} holds less than what is asked`, {
    have: tagText(short.tag),
    asked: tagText(asked),
  })
}
