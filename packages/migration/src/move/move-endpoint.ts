import type { LogReader } from '@vault/audit-chain'
import type { Block } from '@vault/cas'
import type { AbortOptions, Bytes, ContentId, KeyId, KeyState, Signer } from '@vault/core'
import type { HeldBlock, IntakeBatch, Records, Tenure } from '@vault/soup'
import type { Statement } from '@vault/transfer'
import type { Held, Receiving, Source } from '../endpoint.ts'
import type { PlannedKeys } from '../plan.ts'
import type { AuditNote } from './audit-note.ts'
import type { MoveState } from './state.ts'

/** The end of a log. */
export interface LogEnd {
  /** The signed note. */
  readonly note: Bytes
  readonly size: number
  /** 64 lower-case hexadecimal digits. */
  readonly root: string
}

/** What a source signs away. */
export interface HandoffTerms {
  readonly migration: string
  readonly plan: ContentId
  readonly statement: Statement
  readonly frozen: LogEnd
  readonly target: { readonly instance: string }
  /** Envelopes of the target. */
  readonly acceptance: Bytes
  readonly ready: Bytes
  /** The payload's id of the key event that takes effect with the hand-off. */
  readonly keyEvent: ContentId
}

/**
 * Where a vault moves from with all that it is. Everything here can be done again after a crash: it finds out what has
 * been done already.
 */
export interface MoveSource extends Source {
  /** 32 hexadecimal digits: the place, not the vault. */
  readonly instance: string
  /** The place's own key. */
  readonly place: Signer
  /** Where the journal is kept. */
  readonly records: Records
  /** The audit log, with everything in it that has been committed. */
  log(options?: AbortOptions): Promise<LogReader>
  keyState(options?: AbortOptions): Promise<KeyState>
  /** Signs with the vault's identity. May ask a person. */
  signAsIdentity(payload: Uint8Array, options?: AbortOptions): Promise<Bytes>
  /**
   * Adds entries to the audit trail, each once however often it is called: those whose key stands in the log behind
   * `since` are left out. In a quiesced vault, in the name of the migration.
   */
  tell(
    notes: readonly AuditNote[],
    scope: { readonly migration: string; readonly since: number },
    options?: AbortOptions,
  ): Promise<void>
  /** Stores a block that the trail will name, and holds it. In a quiesced vault, in the name of the migration. */
  keep(block: Block, scope: { readonly migration: string }, options?: AbortOptions): Promise<void>
  /** Held blocks ascending by id, strictly after `after`. */
  held(
    range: { readonly after?: ContentId; readonly limit: number },
    options?: AbortOptions,
  ): Promise<readonly HeldBlock[]>
  /** active → quiesced. Throws `MIGRATION_SOURCE_REFUSED` where another migration has quiesced it, or it was handed off. */
  quiesce(migration: string, options?: AbortOptions): Promise<void>
  /** Where the log of the quiesced vault ends, when all that was committed is in it. */
  freeze(migration: string, options?: AbortOptions): Promise<LogEnd>
  /**
   * quiesced → retired: signs the hand-off, and keeps it in the same transaction before it leaves. Gives the one that was
   * signed where this migration has done so. Throws `MIGRATION_CHANGED` where the vault is not what the terms say.
   */
  signHandoff(terms: HandoffTerms, options?: AbortOptions): Promise<Bytes>
  /** The hand-off under which the vault was retired for this migration, if it was. */
  signedHandoff(migration: string, options?: AbortOptions): Promise<Bytes | undefined>
  /**
   * quiesced → active in its epoch; with the target's signed decline, retired → active in a higher one. Nothing happens
   * where it is active. Throws `MIGRATION_HANDED_OFF` where it is retired and no decline says that the target never takes it.
   */
  reopen(migration: string, decline: Uint8Array | undefined, options?: AbortOptions): Promise<Tenure>
}

/** A source that shows by which document the vault is active there. */
export interface ExplainedSource extends MoveSource {
  /** `undefined` where the vault was founded there. */
  evidence(options?: AbortOptions): Promise<Bytes | undefined>
}

/** What is offered to a target. */
export interface MoveOffer {
  readonly vault: ContentId
  readonly keyEvents: readonly Uint8Array[]
  readonly migration: string
  readonly plan: ContentId
  /** The epoch of the vault at the source. */
  readonly epoch: number
  /** Grows with every start: one that is lower than what was seen is refused. */
  readonly driver: number
  readonly keys: PlannedKeys
  /** By which the vault is active at the source: the hand-off with which it came, or the recovery. Left out where it was founded there, or that is not known. */
  readonly evidence?: Bytes
}

/** A batch as the target numbered it. */
export interface NumberedBatch {
  readonly batch: number
  readonly record: Bytes
}

/** Where a vault moves to with all that it is. As a source, it finds out what has been done already. */
export interface MoveTarget {
  readonly label: string
  readonly instance: string
  look(vault: ContentId, options?: AbortOptions): Promise<Held>
  /** none, retired or replica → receiving. Gives the signed acceptance; the same one whenever it is asked again. */
  accept(offer: MoveOffer, options?: AbortOptions): Promise<Bytes>
  /** Signs a key event with the keys that the acceptance names. Throws `MIGRATION_TARGET_REFUSED` for any other roles. */
  endorse(
    request: { readonly vault: ContentId; readonly migration: string; readonly keyEvent: Uint8Array },
    options?: AbortOptions,
  ): Promise<Bytes>
  /** Opens what was accepted for writing, as this driver. */
  open(
    offer: Pick<MoveOffer, 'vault' | 'migration' | 'driver'>,
    options?: AbortOptions,
  ): Promise<Omit<Receiving, 'finish'>>
  batches(
    request: { readonly vault: ContentId; readonly migration: string; readonly after: number; readonly limit: number },
    options?: AbortOptions,
  ): Promise<readonly NumberedBatch[]>
  /** Copies the audit trail up to a note that the log keys of now have signed, verified before it is stored. */
  receiveTrail(
    request: {
      readonly vault: ContentId
      readonly migration: string
      readonly from: LogReader
      readonly note: Uint8Array
      /** Entries that are to be handed over: a note of more is refused before anything is read. */
      readonly size: number
    },
    options?: AbortOptions,
  ): Promise<void>
  /** receiving → prepared, where the vault and its log are what the claim says. Gives the signed statement of it. Throws `MIGRATION_CHANGED`. */
  prepare(
    request: {
      readonly vault: ContentId
      readonly migration: string
      readonly driver: number
      readonly statement: Statement
      readonly frozen: LogEnd
      /** Counts with the hand-off; kept in case the source is lost for ever before it arrives. */
      readonly keyEvent: Uint8Array
    },
    options?: AbortOptions,
  ): Promise<Bytes>
  /**
   * prepared → active, by a hand-off of the source; the same again says so and does nothing. Throws
   * `MIGRATION_DECLINED` where it has declined, and `MIGRATION_HANDOFF_REFUSED` for a hand-off that is not for this state.
   */
  activate(
    request: { readonly handoff: Uint8Array; readonly keyEvent: Uint8Array },
    options?: AbortOptions,
  ): Promise<Tenure>
  /**
   * Gives up what was received, undoes what was written over what was there, and says so, signed: this place will never
   * take a hand-off of this migration. Throws `MIGRATION_TARGET_ADVANCED` where it has taken it.
   */
  decline(request: { readonly vault: ContentId; readonly migration: string }, options?: AbortOptions): Promise<Bytes>
  /**
   * Writes the end into the audit trail, and makes and keeps the certificate: the same one whenever it is asked again. Throws
   * `MIGRATION_TARGET_ADVANCED` where there is none and the vault has been handed on since: there never will be one.
   */
  conclude(state: MoveState, options?: AbortOptions): Promise<Bytes>
}

/** A target that proves, while it receives, that it has stored what it acknowledged. */
export interface ProvingTarget extends MoveTarget {
  /** Throws `MIGRATION_TARGET_LIES` where the object does not read back, or is neither under charge nor held by the vault. */
  prove(
    request: {
      readonly vault: ContentId
      readonly migration: string
      readonly batch: number
      readonly id: ContentId
      /** 32 bytes, drawn after the batch was acknowledged. */
      readonly nonce: Uint8Array
    },
    options?: AbortOptions,
  ): Promise<Bytes>
}

/** A target that judges for itself who may write it. */
export interface JudgingTarget extends MoveTarget {
  /** Asked before the hand-off is signed, when nothing else is asked of the target. Throws where it is not granted any more. */
  requireLeave(vault: ContentId, options?: AbortOptions): Promise<void>
}

/** A target whose key is known before it has accepted anything: a plan can name it. */
export interface KeyedTarget extends MoveTarget {
  /** The key of the place, which signs what it says. */
  readonly key: KeyId
}

/** Leads clients to the place that is active (M089). Done after activation, and may be done again. */
export interface Routing {
  update(
    route: {
      readonly vault: ContentId
      readonly migration: string
      readonly from: { readonly label: string; readonly instance: string }
      readonly to: { readonly label: string; readonly instance: string }
      readonly epoch: number
    },
    options?: AbortOptions,
  ): Promise<void>
}

/** What a batch writes, as the intake takes it. */
export type BatchContent = Omit<IntakeBatch, 'driver' | 'record'>
