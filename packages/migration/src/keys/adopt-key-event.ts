import { encodeEvent } from '@vault/audit-chain'
import type { AbortOptions, ContentId, Envelope, KeyState } from '@vault/core'
import {
  decodeEnvelope,
  encodeEnvelope,
  equalBytes,
  isVaultError,
  link,
  VaultError,
  verifyKeyHistory,
} from '@vault/core'
import type { Tenure } from '@vault/soup'
import type { MigrationErrorCode } from '../error.ts'
import { listMoves } from '../move/journal.ts'
import { keyStateAt } from '../move/key-state.ts'
import { isEnded } from '../move/phase.ts'
import type { Seat } from '../move/seat.ts'
import { readMoveCertificate } from '../move/target-records.ts'
import { parseHandoff } from '../records/handoff.ts'
import { keepLogBound } from './log-bound.ts'

/** A key event of an active vault, signed by all that it takes. */
export interface Adoption {
  readonly vault: ContentId
  readonly keyEvent: Envelope
  /** Why, for the trail. */
  readonly motivation?: string
  /** The transcript of the ceremony in which it was made, for the trail. */
  readonly ceremony?: ContentId
  /** Also where the vault came here by a move whose certificate is not made yet, and can then never be made. Default: `false`. */
  readonly withoutCertificate?: boolean
}

/** What an adoption needs of a place. */
export type AdoptingSeat = Pick<Seat, 'label' | 'instance' | 'store' | 'actor' | 'clock'>

/**
 * Makes a key event one of an active vault, together with `key-transition` in its trail: from then on its roles count, and the
 * trail goes on under its log key. Those that it retired verify what they signed before. Done again, it changes nothing. Durable
 * when it resolves.
 *
 * Throws `KEY_EVENT_INVALID` for one that does not follow those before it, or lacks a signature, `MIGRATION_STATE` where the vault is
 * not active here, and `MIGRATION_UNFINISHED` while it is being moved: what the two places agreed upon names the keys before.
 */
export async function adoptKeyEvent(seat: AdoptingSeat, adoption: Adoption, options?: AbortOptions): Promise<KeyState> {
  const { vault, keyEvent, motivation, ceremony } = adoption
  const { tenures, records } = seat.store
  const bytes = encodeEnvelope(keyEvent)
  while (true) {
    const { epoch, events } = await tenures.read(vault, options)
    const known = (await tenures.keyEvents(vault, options)).map((event) => decodeEnvelope(event))
    const last = known.at(-1)
    if (last !== undefined && equalBytes(last.payload, keyEvent.payload)) return verifyKeyHistory(known)
    await checkAdoptable(seat, adoption, options)
    const history = verifyKeyHistory([...known, keyEvent])
    if (history.events.at(-1)?.why === 'migrate') throw needsHandoff(vault)
    const event = encodeEvent({
      time: Math.floor(seat.clock().getTime() / 1000),
      actor: seat.actor,
      action: {
        verb: 'key-transition',
        object: `vault:${vault}`,
        parameters: {
          key_event: link(history.head),
          envelope: bytes,
          ...(ceremony === undefined ? {} : { ceremony: link(ceremony) }),
        },
      },
      ...(motivation === undefined ? {} : { context: { motivation } }),
      key: `key-event/${history.head}`,
    })
    await keepLogBound(records, history.head, events, options)
    const keyEvents = [...known, keyEvent].map(encodeEnvelope)
    try {
      // With the last one it ends in the same transaction, so nobody changes it between the two.
      const state = history.retired ? 'ended' : 'active'
      const to = { state, epoch, keyEvents, events: [event] } as const
      await tenures.transition(vault, { state: 'active', epoch, events }, to, options)
      return history
    } catch (error) {
      // Something was written meanwhile, so the log is longer; or somebody else was faster.
      if (!isVaultError(error, 'SOUP_TENURE')) throw error
    }
  }
}

/** Throws unless the keys of a vault may be replaced here and now: to be asked before new ones are made. See {@link adoptKeyEvent}. */
export async function checkAdoptable(
  seat: Pick<Seat, 'label' | 'instance' | 'store'>,
  { vault, withoutCertificate = false }: Pick<Adoption, 'vault' | 'withoutCertificate'>,
  options?: AbortOptions,
): Promise<void> {
  const { tenures, records } = seat.store
  const tenure = await tenures.read(vault, options)
  if (tenure.state !== 'active') throw notActive(seat.label, tenure)
  const moves = await listMoves(records, { ...options, vault })
  const open = moves.find(({ phase }) => !isEnded(phase))
  if (open !== undefined) {
    throw unfinished(open.migration, `is ${open.phase}, and names the keys of now: resume it, or roll it back`)
  }
  if (withoutCertificate) return
  const arrival = await unconcluded(seat, vault, options)
  if (arrival !== undefined) {
    throw unfinished(
      arrival,
      'brought the vault here and has no certificate yet, and under other keys none can be made: resume it',
    )
  }
}

/** The migration by which the vault came, where its certificate is still to be made under the keys of now. */
async function unconcluded(
  { store, instance }: Pick<Seat, 'instance' | 'store'>,
  vault: ContentId,
  options?: AbortOptions,
): Promise<string | undefined> {
  const evidence = await store.tenures.evidence(vault, options)
  const handoff = evidence && handoffIn(evidence)
  if (handoff === undefined || handoff.to.instance !== instance) return undefined
  const { head } = await keyStateAt({ store }, vault, options)
  if (handoff.key_event.id !== head) return undefined
  const certificate = await readMoveCertificate(store.records, handoff.migration, options)
  return certificate === undefined ? handoff.migration : undefined
}

function handoffIn(evidence: Uint8Array): ReturnType<typeof parseHandoff> | undefined {
  try {
    return parseHandoff(decodeEnvelope(evidence).payload)
  } catch (error) {
    if (isVaultError(error)) return undefined
    throw error
  }
}

function notActive(label: string, { vault, state }: Tenure): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_STATE',
    message: `The vault ${vault} is ${state} at ${label}: its keys are replaced where it is active.`,
    details: { vault, state },
  })
}

function needsHandoff(vault: ContentId): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_STATE',
    message: `The key event counts only with the hand-off of the vault ${vault} that it names: run the migration.`,
    details: { vault },
  })
}

function unfinished(migration: string, why: string): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_UNFINISHED',
    message: `The keys of the vault stay as they are: the migration ${migration} ${why}.`,
    details: { migration },
  })
}
