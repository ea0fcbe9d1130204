import type { BulkCas } from '@vault/cas'
import type { AbortOptions, ContentId } from '@vault/core'
import { equalBytes, isVaultError, toHex, VaultError } from '@vault/core'
import type { Change, Committed, Entry, IntakeBatch, Soup, Tenure } from '@vault/soup'
import { decodeEntry, entryKey, entryValue, versionId } from '@vault/soup'
import type { Receiving, Target } from './endpoint.ts'
import type { MigrationErrorCode } from './error.ts'

/**
 * An active vault as the target of partial migrations. What comes in is an ordinary change of it: the contracts of
 * types hold, and earlier versions are made again in their order.
 */
export function activeVaultTarget(place: {
  readonly label: string
  readonly objects: BulkCas
  readonly soup: Soup
}): Target {
  const { label, objects, soup } = place
  return {
    label,
    look: async (_vault, options) => ({ tenure: await soup.tenure(options), objects, soup }),

    async receive(_offer, options): Promise<Receiving> {
      const tenure = await soup.tenure(options)
      if (tenure.state !== 'active') throw notActive(label, tenure)
      const intake = { receive: (batch: IntakeBatch, o?: AbortOptions) => commitBatch(soup, tenure.epoch, batch, o) }
      // An active vault goes on changing, so what was verified need not be the latest.
      return { found: tenure, objects, soup, intake, finish: (_verified, o) => soup.tenure(o) }
    },
  }
}

async function commitBatch(soup: Soup, epoch: number, batch: IntakeBatch, options?: AbortOptions): Promise<Committed> {
  for (const version of batch.versions ?? []) {
    // A batch whose answer was lost is given again.
    if ((await soup.version(versionId(version), options)) !== undefined) continue
    await commitEntries(soup, { epoch }, [version], options)
  }
  const { add = [], remove: release = [] } = batch.objects ?? {}
  const change: Change = { epoch, expect: { segments: batch.segments ?? [] }, objects: { add, release } }
  return commitEntries(soup, change, batch.entries?.put ?? [], options)
}

const REF = 'ref'

/** Nothing is overwritten but an entry that is equal or an earlier version of the one that comes, whoever writes meanwhile. */
async function commitEntries(
  soup: Soup,
  change: Change,
  put: readonly Uint8Array[],
  options?: AbortOptions,
): Promise<Committed> {
  const coming = put.map((bytes) => ({ bytes, entry: decodeEntry(bytes) }))
  const keys = coming.map(({ entry }) => entryKey(entry.key))
  const stored = new Map((await soup.entriesByKey(keys, options)).map(({ key, bytes }) => [toHex(key), bytes]))
  const expected: Record<string, string | null> = {}
  const refs: Record<string, ContentId> = {}
  const entries: Entry[] = []
  for (const [i, { bytes, entry }] of coming.entries()) {
    const there = stored.get(toHex(keys[i] as Uint8Array))
    if (there !== undefined && equalBytes(there, bytes)) continue
    if (there !== undefined && versionId(there) !== entry.previous) throw conflict(entry.key)
    expected[entry.key] = there === undefined ? null : toHex(entryValue(there))
    // Refs go another way into a soup than other entries.
    if (entry.type === REF && entry.object !== undefined) refs[entry.key.slice(REF.length + 1)] = entry.object
    else entries.push(fresh(entry))
  }
  const expect = { ...change.expect, entries: expected }
  try {
    return await soup.commit({ ...change, expect, refs, entries: { put: entries } }, options)
  } catch (error) {
    throw isVaultError(error, 'SOUP_CONFLICT') ? conflict(String(error.details?.key), error) : error
  }
}

/** The entry as it was before the soup filled in its previous version. */
function fresh({ previous: _, ...entry }: Entry): Entry {
  return entry
}

function conflict(key: string, cause?: unknown): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_CONFLICT',
    message: `The target was given another value for ${JSON.stringify(key)} while it was being written. That value stays; settle it and run again.`,
    details: { keys: [key] },
    cause,
  })
}

function notActive(label: string, { vault, state }: Tenure): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_TARGET_REFUSED',
    message: `The vault ${vault} is ${state} at ${label}: only an active vault takes a part of another one.`,
    details: { vault, state },
  })
}
