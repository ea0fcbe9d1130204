import type { LogReader } from '@vault/audit-chain'
import type { BulkCas, BulkCasReader, CasReader } from '@vault/cas'
import type { AbortOptions, Bytes, ContentId, KeyId } from '@vault/core'
import type { Entry, HeldBlock, Intake, SoupReader, Tenure } from '@vault/soup'

/**
 * Where a vault moves from. Nothing is written to it. Its soup is trusted to name what is under charge; its content
 * store is not: every block is hashed where it arrives.
 */
export interface Source {
  readonly vault: ContentId
  /** What people call the place; it stands in plans and messages. */
  readonly label: string
  readonly objects: CasReader & BulkCasReader
  readonly soup: SoupReader
  /** Envelopes of the vault's key events, oldest first. */
  keyEvents(options?: AbortOptions): Promise<readonly Bytes[]>
}

/** An audit trail and how far it is signed. */
export interface SignedTrail {
  readonly log: LogReader
  /** The signed note of its end. */
  readonly note: Bytes
}

/** A source that gives its audit trail, too. Beside `Source`, because a copy is whole without one. */
export interface TrailSource extends Source {
  /** The trail as far as it was signed when it was asked for; `undefined` where nothing ever was. */
  trail(options?: AbortOptions): Promise<SignedTrail | undefined>
  /** Blocks that the trail names, which are under no root: ascending by id, strictly after `after`. */
  held(
    range: { readonly after?: ContentId; readonly limit: number },
    options?: AbortOptions,
  ): Promise<readonly HeldBlock[]>
}

/** What is brought to a target. */
export interface Offer {
  readonly vault: ContentId
  /** Envelopes of its key events, oldest first. */
  readonly keyEvents: readonly Uint8Array[]
  readonly migration: string
}

/** What a target holds, for reading. */
export interface Held {
  /** The standing of the vault that would be written. */
  readonly tenure: Tenure
  readonly objects: BulkCasReader
  readonly soup: SoupReader
}

/** A target that has been opened for one migration. */
export interface Receiving {
  /** What the vault was there when it was opened. */
  readonly found: Tenure
  readonly objects: BulkCas
  readonly soup: SoupReader
  readonly intake: Pick<Intake, 'receive'>
  /**
   * Ends receiving, when all has been verified; says what the vault now is there. Doing it again is no error. `verified` is
   * the sequence that was verified: what was received since is not, and is refused with `MIGRATION_INCOMPLETE`.
   */
  finish(verified: number, options?: AbortOptions): Promise<Tenure>
}

/** Where a vault moves to. Its content store is not trusted: what it acknowledges is read back and hashed. */
export interface Target {
  /** What people call the place; it stands in plans and messages. */
  readonly label: string
  /**
   * What a migration of this vault would find. Changes nothing. Throws `MIGRATION_TARGET_NOT_EMPTY` where the place
   * holds another vault with content.
   */
  look(vault: ContentId, options?: AbortOptions): Promise<Held>
  /**
   * Opens the target for writing, or goes on where the same vault was left receiving; a migration that wrote before is
   * shut out. Refuses as `look` does, and with `MIGRATION_TARGET_REFUSED` by tenure.
   */
  receive(offer: Offer, options?: AbortOptions): Promise<Receiving>
}

/** A target of parts that does not take every entry. Beside `Target`, because others take all that the contracts of types let in. */
export interface ScreeningTarget extends Target {
  /** Throws where it will refuse one of these, whatever else is there. Changes nothing. */
  screen(entries: readonly Entry[]): void
}

/** A target that can give up what it was receiving. Beside `Target`, because whoever asks for this can destroy. */
export interface AbandonableTarget extends Target {
  /**
   * Goes back to what the vault was there before, and undoes what was written over it. Does nothing where the migration is not
   * the one that is writing. Throws `SOUP_TENURE` where a run writes at the same time.
   */
  abandon(vault: ContentId, migration: string, options?: AbortOptions): Promise<void>
}

/** A target that keeps the audit trail of what it receives, too. */
export interface TrailTarget extends Target {
  /**
   * Copies the trail up to its note, verified before it is stored, and continues what is there of it. Throws what `importTrail` of
   * `@vault/audit-chain` throws.
   */
  receiveTrail(
    request: Pick<Offer, 'vault' | 'keyEvents'> & { readonly trail: SignedTrail },
    options?: AbortOptions,
  ): Promise<void>
}

/** Objects of which a target is to say that it has their bytes. */
export interface RehashRequest {
  readonly vault: ContentId
  readonly migration: string
  /** At most 4,096. */
  readonly ids: readonly ContentId[]
  /** 32 bytes, drawn when everything was stored. */
  readonly nonce: Uint8Array
}

/**
 * A target that reads its own store back and hashes it where it is. Beside `Target`, because it is for those that are far away: what is near
 * is read back at once.
 */
export interface RehashingTarget {
  /** The key of the place, which signs what it says. */
  readonly key: KeyId
  /** The envelope of a `Rehash`; `undefined` where an object does not read back, or is not under charge of the vault. */
  rehash(request: RehashRequest, options?: AbortOptions): Promise<Bytes | undefined>
}
