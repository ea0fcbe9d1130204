import type { LogStore, StoredLog } from '@vault/audit-chain'
import { importTrail, openCheckpoint, originOf } from '@vault/audit-chain'
import type { AbortOptions, ContentId } from '@vault/core'
import { decodeEnvelope, equalBytes, isVaultError, VaultError, verifyKeyHistory } from '@vault/core'
import type { Tenures, VaultSoup } from '@vault/soup'
import type { Source, Target, TrailSource, TrailTarget } from './endpoint.ts'
import type { MigrationErrorCode } from './error.ts'
import { currentLogKeys } from './move/judge-handoff.ts'
import { logKeys } from './move/log-keys.ts'

/** A source that gives the trail of its vault with it. `log` opens where that lies. */
export function sourceWithTrail(
  source: Source,
  {
    log,
    soup,
  }: { readonly log: (options?: AbortOptions) => Promise<StoredLog>; readonly soup: Pick<VaultSoup, 'held'> },
): TrailSource {
  return {
    ...source,
    async trail(options) {
      const stored = await log(options)
      const note = await stored.head(options)
      return note && { log: stored, note }
    },
    held: (range, options) => soup.held(range, options),
  }
}

/**
 * A target that keeps the trail of the vault that it receives, as long as it receives it. `log` opens, and makes, where that is to lie;
 * `tenures` are those of the place. Throws `MIGRATION_TARGET_REFUSED`.
 */
export function targetWithTrail<Place extends Target>(
  target: Place,
  {
    log,
    tenures,
  }: {
    readonly log: (vault: ContentId, options?: AbortOptions) => Promise<LogStore>
    readonly tenures: Pick<Tenures, 'read' | 'keyEvents'>
  },
): Place & TrailTarget {
  return {
    ...target,
    async receiveTrail({ vault, keyEvents, trail }, options) {
      const { state } = await tenures.read(vault, options)
      // A run that was shut out must not add to the log of a place that is active by now.
      if (!KEEPS_TRAIL.has(state)) throw refused(vault, state, `it is ${state} there`)
      const kept = await tenures.keyEvents(vault, options)
      if (!kept.every((event, i) => keyEvents[i] !== undefined && equalBytes(event, keyEvents[i]))) {
        throw refused(vault, state, 'its keys have gone on from those that the source has')
      }
      const history = verifyKeyHistory(keyEvents.map((bytes) => decodeEnvelope(bytes)))
      if (history.vault !== vault) throw refused(vault, state, `these are the keys of ${history.vault}`)
      const keys = logKeys(history)
      // Keys that were retired open what they signed, and add nothing: the end is of one of those of now.
      try {
        openCheckpoint(trail.note, { origin: originOf(vault), keys: currentLogKeys(history) })
      } catch (error) {
        if (!isVaultError(error)) throw error
        throw refused(
          vault,
          state,
          'no present log key has signed its end; open the vault for writing where it is active',
          error,
        )
      }
      const parts = { from: trail.log, checkpoint: trail.note, to: await log(vault, options), origin: originOf(vault) }
      for await (const _ of importTrail({ ...parts, keys, ...options }));
    },
  }
}

const KEEPS_TRAIL: ReadonlySet<string> = new Set(['receiving', 'replica'])

function refused(vault: ContentId, state: string, why: string, cause?: unknown): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_TARGET_REFUSED',
    message: `The audit trail of ${vault} is not taken by the target: ${why}.`,
    details: { vault, state },
    ...(cause === undefined ? {} : { cause }),
  })
}
