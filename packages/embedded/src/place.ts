import { access, constants, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type KeyId, parseKeyId, reasonOf, VaultError } from '@vault/core'
import type { SoupStore } from '@vault/soup'
import { type FsCas, openFsCas } from '@vault/store-fs'
import { openSqliteSoupStore } from '@vault/store-sqlite'
import { restoreReserve, returnReserve, useReserve } from './reserve.ts'
import { systemError } from './system-error.ts'
import { tellsOfFullDisk } from './tells-of-full-disk.ts'

/** The `code` of the errors about folders that hold vaults. */
export type PlaceErrorCode =
  /** There is no vault in this folder. `details.dir`; and where it is a place that waits for one, its `details.key`. */
  | 'VAULT_NOT_FOUND'
  /** The folder cannot become a vault: it is one already, or has other files in it. `details.dir`. */
  | 'VAULT_EXISTS'
  /** `vault.json` is damaged, foreign or newer than this software. `details.file`. */
  | 'VAULT_FORMAT'
  /** The system does not let the folder be made, read or written. `details.path`, `details.errno`; `cause` has its error. */
  | 'VAULT_INACCESSIBLE'

/** What `vault.json` says: a store with an id and an online key of its own. */
export interface PlaceInfo {
  /** 32 hexadecimal digits, drawn when the place was made; a copied folder keeps them, a migrated vault does not. */
  readonly instance: string
  readonly key: KeyId
}

/** An open place: its description and its two stores. */
export interface Place extends AsyncDisposable {
  /** The folder that has `vault.json`. */
  readonly dir: string
  readonly info: PlaceInfo
  readonly objects: FsCas
  readonly soups: SoupStore
}

export interface OpenPlaceOptions {
  readonly mode: 'read' | 'write'
  /** See `OpenOptions.keepHashes`. */
  readonly keepHashes?: boolean
}

const FORMAT = 'vault-place'
const VERSION = 1
export const PLACE_FILE = 'vault.json'
export const SOUP_FILE = 'soup.sqlite'

/** The text of a new `vault.json`. */
export function placeFileText(info: PlaceInfo): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, ...info }, null, 2)}\n`
}

/**
 * The folder that has `vault.json`: the given one, or `.vault` in it, when it is a work tree. A file of that name that
 * does not say that it is ours may be another program's: it is passed over where there is another, and else is ours, damaged.
 */
export async function findPlace(dir: string): Promise<string | undefined> {
  let doubtful: string | undefined
  for (const candidate of [dir, join(dir, '.vault')]) {
    const text = await readIfThere(join(candidate, PLACE_FILE))
    if (text === undefined) continue
    if (isOurs(text)) return candidate
    doubtful = candidate
  }
  return doubtful
}

/**
 * Opens the place in a folder, or in `.vault` in it. Throws `VAULT_NOT_FOUND`, `VAULT_FORMAT`, `VAULT_INACCESSIBLE`, and
 * what the stores throw.
 */
export async function openPlace(dir: string, options: OpenPlaceOptions): Promise<Place> {
  const found = await findPlace(dir)
  if (found === undefined) {
    throw new VaultError<PlaceErrorCode>({
      code: 'VAULT_NOT_FOUND',
      message: `${dir} holds no vault: there is no ${PLACE_FILE} in it, nor in ${join(dir, '.vault')}.`,
      details: { dir },
    })
  }
  try {
    const info = parsePlaceFile(join(found, PLACE_FILE), await readFile(join(found, PLACE_FILE), 'utf8'))
    return await openStores(found, info, options)
  } catch (error) {
    throw systemError<PlaceErrorCode>('VAULT_INACCESSIBLE', found, error)
  }
}

async function openStores(dir: string, info: PlaceInfo, { mode, keepHashes }: OpenPlaceOptions): Promise<Place> {
  await checkAccess(dir, mode)
  const path = join(dir, SOUP_FILE)
  const soupMode = mode === 'read' && keepHashes && (await isWritable(dir)) ? 'write' : mode
  const { soups, usesReserve } = await openSoups(dir, soupMode)
  const closeSoups = async () => {
    try {
      await soups[Symbol.asyncDispose]()
      if (soupMode === 'read') await removeEmptyLog(path)
    } finally {
      if (usesReserve) await returnReserve(dir)
    }
  }
  try {
    const isCondemned = async (segment: string) => (await soups.reclaim.condemned([segment])).length > 0
    const objects = await openFsCas({ dir, mode, isCondemned })
    // A reclaim that did not come to make room has left none for the next.
    if (mode === 'write') await restoreReserve(dir)
    return {
      dir,
      info,
      objects,
      soups,
      async [Symbol.asyncDispose]() {
        try {
          await objects[Symbol.asyncDispose]()
        } finally {
          await closeSoups()
        }
      },
    }
  } catch (error) {
    await closeSoups()
    throw error
  }
}

/** SQLite makes files to read, too: on a disk that is wholly full the place gives up the room that it keeps, until it is closed. */
async function openSoups(dir: string, mode: 'read' | 'write'): Promise<{ soups: SoupStore; usesReserve: boolean }> {
  const open = () => openSqliteSoupStore({ path: join(dir, SOUP_FILE), mode })
  try {
    return { soups: await open(), usesReserve: false }
  } catch (error) {
    if (!tellsOfFullDisk(error)) throw error
  }
  // Where it is not ours to give up, or somebody else has just done so, the second attempt tells.
  const usesReserve = await useReserve(dir).catch(() => false)
  try {
    return { soups: await open(), usesReserve }
  } catch (error) {
    if (usesReserve) await returnReserve(dir)
    throw error
  }
}

const ACCESSED = ['', SOUP_FILE, `${SOUP_FILE}-wal`, `${SOUP_FILE}-shm`, 'objects', 'objects/index', 'log']

/** Asked for beforehand, because what SQLite says later names neither the file nor the reason. */
async function checkAccess(dir: string, mode: 'read' | 'write'): Promise<void> {
  const wanted = mode === 'read' ? constants.R_OK : constants.R_OK | constants.W_OK
  for (const name of ACCESSED) {
    const path = join(dir, name)
    await access(path, wanted).catch((error: NodeJS.ErrnoException) => {
      // The stores say what is missing that must be there.
      if (error.code === 'ENOENT') return
      throw systemError<PlaceErrorCode>('VAULT_INACCESSIBLE', path, error, `to ${mode}`)
    })
  }
}

async function isWritable(dir: string): Promise<boolean> {
  return await checkAccess(dir, 'write').then(
    () => true,
    () => false,
  )
}

/**
 * SQLite makes an empty log to read, and only a writer that closes last may remove it without taking it from others. One
 * with changes is left as it is: to remove it, they would have to be written home.
 */
async function removeEmptyLog(path: string): Promise<void> {
  const log = await stat(`${path}-wal`).catch(() => undefined)
  if (log?.size !== 0) return
  try {
    await (await openSqliteSoupStore({ path, mode: 'write', busyTimeout: 0 }))[Symbol.asyncDispose]()
  } catch {
    // Not ours to write, or in use: two files that are no content stay behind.
  }
}

function isOurs(text: string): boolean {
  try {
    return (JSON.parse(text) as { format?: unknown } | null)?.format === FORMAT
  } catch {
    return false
  }
}

function parsePlaceFile(file: string, text: string): PlaceInfo {
  try {
    const parsed = JSON.parse(text) as Record<string, unknown>
    const { format, version, instance, key } = parsed
    if (format !== FORMAT) throw new Error(`its format is ${JSON.stringify(format)}, not "${FORMAT}"`)
    if (version !== VERSION)
      throw new Error(`its version is ${JSON.stringify(version)}; this software reads ${VERSION}`)
    if (typeof instance !== 'string' || !/^[0-9a-f]{32}$/.test(instance)) throw new Error('its instance is malformed')
    if (typeof key !== 'string') throw new Error('its key is malformed')
    return { instance, key: parseKeyId(key) }
  } catch (cause) {
    throw new VaultError<PlaceErrorCode>({
      code: 'VAULT_FORMAT',
      message: `${file} cannot be read: ${cause instanceof Error ? reasonOf(cause) : String(cause)}.`,
      details: { file },
      cause,
    })
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw systemError<PlaceErrorCode>('VAULT_INACCESSIBLE', file, error)
  }
}
