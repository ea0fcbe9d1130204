import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import type { HeldBlock } from './held-block.ts'

/** What a place may do with a vault. */
export type TenureState =
  /** Nothing of it is here. */
  | 'none'
  /** A migration is writing it; no ordinary change. */
  | 'receiving'
  /** Received and verified whole, waiting for its hand-off. */
  | 'prepared'
  /** The one place where it changes. */
  | 'active'
  /** Frozen for a hand-off. */
  | 'quiesced'
  /** Handed off: never written here again, unless it comes back. */
  | 'retired'
  /** A verified copy without hand-off; ordinary changes are refused. */
  | 'replica'
  /** Its key events have come to their end: it is read and copied from here, and changes nowhere any more. */
  | 'ended'

/** The standing of a vault at a place. */
export interface Tenure {
  readonly vault: ContentId
  readonly state: TenureState
  /** Grows with every hand-off of the vault, everywhere. */
  readonly epoch: number
  /** Number of the latest change. */
  readonly sequence: number
  /** Audit events that the vault ever had: the size of its log once the outbox is empty. */
  readonly events: number
  /** The migration that is writing or freezes it, or did so last, where there is one. */
  readonly migration?: string
  /** In `receiving` and `prepared`, where one was named: the number of the driver that writes. A lower one is shut out. */
  readonly driver?: number
  /** In `receiving` and `prepared`: what the vault was here when receiving began. What was there must not be lost. */
  readonly before?: Pick<Tenure, 'state' | 'sequence' | 'migration'>
}

/** What a tenure must be for a move. Besides state and epoch, only what is given is compared. */
export type ExpectedTenure = Pick<Tenure, 'state' | 'epoch'> &
  Partial<Pick<Tenure, 'migration' | 'sequence' | 'events' | 'driver'>>

/** What a tenure becomes, and what is written with it in the same transaction. */
export interface TenureMove extends Pick<Tenure, 'state' | 'epoch' | 'migration' | 'driver'> {
  /** Envelopes of the vault's key events, oldest first; absent: those that are kept stay. */
  readonly keyEvents?: readonly Uint8Array[]
  /** Audit events to queue, as in a change. Only where the log goes on here: to `active`, `quiesced` and `ended`. */
  readonly events?: readonly Uint8Array[]
  /** Blocks to hold, as in a change. */
  readonly hold?: readonly HeldBlock[]
  /**
   * Only from `prepared` to `active`: the number of the latest change at the other place. Numbers go on after it, or after
   * the one that is reached here where that is greater: neither place's numbers come to mean something else. The feed
   * begins there.
   */
  readonly sequence?: number
  /** Only from `prepared` to `active`: the size of the log at the other place, the index of the next event. Never goes back. */
  readonly log?: number
  /**
   * A document that explains the move, as a hand-off does: 1 byte to 1 MiB. Kept until a later move brings another; moves
   * without one keep it.
   */
  readonly evidence?: Uint8Array
}

/** The tenures of a place; kept in the same database as the soups, so that `commit` checks them in its transaction. */
export interface Tenures {
  /** All vaults of this place, in no stated order. */
  list(options?: AbortOptions): Promise<readonly Tenure[]>
  /** `state: 'none'` with zeros for a vault that is not here. */
  read(vault: ContentId, options?: AbortOptions): Promise<Tenure>
  /**
   * Compare and set: moves the tenure if it is all that `from` says, else throws `SOUP_TENURE`. Durable when it resolves.
   * `none` in `to` removes all rows of the vault. Which moves there are: {@link nextTenure}. Throws `SOUP_INVALID` for
   * what cannot be written with a move.
   */
  transition(vault: ContentId, from: ExpectedTenure, to: TenureMove, options?: AbortOptions): Promise<void>
  /** The key events kept with a vault; empty for one that is not here. */
  keyEvents(vault: ContentId, options?: AbortOptions): Promise<readonly Bytes[]>
  /** The document of the latest move that brought one. */
  evidence(vault: ContentId, options?: AbortOptions): Promise<Bytes | undefined>
}
