import type { Clock, ContentId, Random } from '@vault/core'
import { systemClock, systemRandom } from '@vault/core'
import type { SoupStore } from '@vault/soup'
import { openDatabase } from './open-database.ts'
import type { Patience } from './patience.ts'
import { whenFree } from './patience.ts'
import { Place } from './place.ts'
import { sqliteReclaim } from './reclaim.ts'
import { sqliteRecords } from './records.ts'
import { sqliteTenures } from './tenures.ts'
import { sqliteVaultSoup } from './vault-soup.ts'

export interface SqliteSoupOptions {
  /** The database file. `-wal` and `-shm` files lie beside it while it is open. */
  readonly path: string
  /**
   * `create` makes the file where there is none and opens it where there is one; `write` opens what is there; `read`
   * opens it without ever writing, in a folder that is not writable too.
   */
  readonly mode: 'create' | 'write' | 'read'
  /** The feed keeps at least so many of its latest items, and whole changes. Default: 1,000,000. */
  readonly feedRetention?: number
  /** How long other writers are waited for, in milliseconds, before `SOUP_BUSY`. Default: 30,000. */
  readonly busyTimeout?: number
  readonly clock?: Clock
  readonly random?: Random
}

const FEED_RETENTION = 1_000_000
const BUSY_TIMEOUT = 30_000

/**
 * Opens the soups of a place in an SQLite file. Several processes may have it open and write at once. Throws
 * `SOUP_FORMAT` for a file that is not ours or is newer, `SOUP_CORRUPT` for one that is damaged, `SOUP_BUSY`.
 */
export async function openSqliteSoupStore(options: SqliteSoupOptions): Promise<SoupStore> {
  const { path, mode, feedRetention = FEED_RETENTION, busyTimeout = BUSY_TIMEOUT } = options
  const { clock = systemClock, random = systemRandom } = options
  if (!Number.isSafeInteger(feedRetention) || feedRetention < 1) {
    throw new RangeError(`The feed keeps a positive number of items, not ${feedRetention}`)
  }
  const patience: Patience = { file: path, busyTimeout, clock, random }
  const database = await whenFree(
    patience,
    mode === 'read' ? 'read' : 'write',
    () => openDatabase(path, mode),
    undefined,
  )
  const place = new Place(database, patience)
  return {
    tenures: sqliteTenures(place),
    records: sqliteRecords(place),
    reclaim: sqliteReclaim(place),
    soup: (vault: ContentId) => sqliteVaultSoup(place, vault, feedRetention),
    async [Symbol.asyncDispose]() {
      place.close()
    },
  }
}
