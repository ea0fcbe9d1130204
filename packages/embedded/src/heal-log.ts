import { join } from 'node:path'
import { type HealStep, healTrail } from '@vault/audit-chain'
import { type AbortOptions, type Clock, isVaultError } from '@vault/core'
import { openFsLogStore } from '@vault/store-fs'
import type { Place } from './place.ts'
import { LOG_FOLDER, type VaultLog } from './vault-log.ts'

/**
 * Brings back the damaged files of a log, from its own other files and from those of another place. Gives nothing where no
 * signed head can be proved: the scrub that follows says what is damaged.
 */
export async function* healLog(
  log: VaultLog,
  parts: {
    readonly vault: string
    /** The other place. */
    readonly from: Place | undefined
    /** Entries that the soup knows to be in it. */
    readonly settled: number
    readonly clock: Clock
  },
  options: AbortOptions,
): AsyncGenerator<HealStep> {
  const { vault, from, settled, clock } = parts
  const other = from && (await openFsLogStore({ dir: join(from.dir, LOG_FOLDER, vault), mode: 'read' }, options))
  const steps = healTrail({
    ...(await log.identity(options)),
    log: await openFsLogStore({ dir: log.dir, mode: 'read' }, options),
    open: () => openFsLogStore({ dir: log.dir, mode: 'write', clock }, options),
    ...(other && { from: other }),
    atLeast: settled,
    ...options,
  })
  try {
    yield* steps
  } catch (error) {
    if (!isVaultError(error, 'AUDIT_MISSING')) throw error
  }
}
