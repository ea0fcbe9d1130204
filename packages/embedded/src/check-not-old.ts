import { type AbortOptions, systemClock } from '@vault/core'
import { compareStanding } from './check-standing.ts'
import { currentTenure } from './current-tenure.ts'
import { Marks } from './marks.ts'
import { openVault } from './open.ts'
import { openPlace } from './place.ts'
import { isDamageError } from './survey.ts'
import { VaultLog } from './vault-log.ts'

/** What a damaged log can look like, and an old copy too: the log ends early. Whether it does when it is healed shows then. */
const OF_LOG: ReadonlySet<string | undefined> = new Set(['log', 'size of the trail'])

/** Throws as `openVault` does for an old copy of a vault and for another history, but not for a log that is only too short. */
export async function checkNotOld(
  dir: string,
  { stateDir, signal }: AbortOptions & { readonly stateDir?: string },
): Promise<void> {
  if (await isOld(dir, { stateDir, signal })) {
    // Says it in full, and writes down the evidence.
    const state = stateDir === undefined ? {} : { stateDir }
    await (await openVault(dir, { mode: 'read', signal, ...state }))[Symbol.asyncDispose]()
  }
}

async function isOld(
  dir: string,
  { stateDir, signal }: AbortOptions & { readonly stateDir: string | undefined },
): Promise<boolean> {
  try {
    await using place = await openPlace(dir, { mode: 'read' })
    const { soups, info } = place
    const vault = (await currentTenure(soups))?.vault
    if (vault === undefined) return false
    const marks = stateDir === undefined ? undefined : new Marks({ stateDir, instance: info.instance, warn: () => {} })
    const log = new VaultLog({ vault, dir: place.dir, soups, clock: systemClock, writable: false })
    const parts = { vault, dir: place.dir, soups, log, marks }
    const { findings } = await compareStanding(parts, { mode: 'read' }, { signal })
    return findings.some(({ code, subject }) => code === 'AUDIT_FORK' || !OF_LOG.has(subject))
  } catch (error) {
    if (isDamageError(error)) return false
    throw error
  }
}
