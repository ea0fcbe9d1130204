import type { Bytes } from '@vault/core'
import { copyBytes } from '@vault/core'
import type { HeldBlock } from './held-block.ts'
import { checkHeld } from './held-block.ts'
import { checkEvents } from './outbox.ts'
import { soupError } from './soup-error.ts'
import type { TenureMove } from './tenures.ts'

/** Longest document of a move, in bytes. */
export const MAX_EVIDENCE_LENGTH: number = 1024 * 1024

/** Largest number that comes from another place: what it says must leave room for numbers of our own. */
const MAX_NUMBER = 2 ** 52

/** What is written with a move: copies, within their limits. */
export interface MoveContent {
  readonly events: readonly Bytes[]
  readonly hold: readonly HeldBlock[]
  readonly keyEvents?: readonly Bytes[]
  readonly evidence?: Bytes
}

/** Throws `SOUP_INVALID` for what cannot be written with a move, and for numbers that are none. */
export function checkMove({ keyEvents, evidence, ...move }: TenureMove): MoveContent {
  for (const number of [move.driver, move.sequence, move.log]) {
    if (number === undefined || (Number.isSafeInteger(number) && number >= 0 && number <= MAX_NUMBER)) continue
    throw soupError(
      'SOUP_INVALID',
      `A driver, a sequence number and the size of a log are natural numbers up to 2^52, not ${number}.`,
    )
  }
  if (evidence !== undefined && (evidence.length < 1 || evidence.length > MAX_EVIDENCE_LENGTH)) {
    const message = `The document of a move has 1 to ${MAX_EVIDENCE_LENGTH} bytes, not ${evidence.length}.`
    throw soupError('SOUP_INVALID', message)
  }
  return {
    events: checkEvents(move.events),
    hold: checkHeld(move.hold),
    ...(keyEvents === undefined ? {} : { keyEvents: keyEvents.map(copyBytes) }),
    ...(evidence === undefined ? {} : { evidence: copyBytes(evidence) }),
  }
}
