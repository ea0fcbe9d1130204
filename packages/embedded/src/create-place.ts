import { randomBytes } from 'node:crypto'
import { access, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex, VaultError } from '@vault/core'
import type { SoupStore } from '@vault/soup'
import { openSqliteSoupStore } from '@vault/store-sqlite'
import { CHECKSUM_FILE, writeChecksums } from './checksums.ts'
import { createFolder, flushFolder, writeDurably } from './durable-file.ts'
import { createPlaceKey } from './keystore.ts'
import { PLACE_FILE, type PlaceErrorCode, type PlaceInfo, placeFileText, SOUP_FILE } from './place.ts'
import { keepReserve, RESERVE_FILE } from './reserve.ts'
import { systemError } from './system-error.ts'
import { LOG_FOLDER } from './vault-log.ts'

/** Writes the first vault into the soup of a place that is being made. */
export type Furnish = (draft: { dir: string; soups: SoupStore; info: PlaceInfo }) => Promise<void>

const IS_PLACE = 'it is a place for vaults already; "vaultctl status" says what is in it'
const DRAFT_PREFIX = '.init-'
/** Never empty, so that it takes its name only where nothing has it: whose `keys` are in the folder makes the place. */
const CLAIM = 'keys'
const CONTENT = ['objects', SOUP_FILE, LOG_FOLDER, CHECKSUM_FILE, RESERVE_FILE] as const
const CHILDREN: readonly string[] = [CLAIM, ...CONTENT, PLACE_FILE]

/**
 * Makes a place in a folder that does not exist, or is empty. Of several processes one makes it; the others get
 * `VAULT_EXISTS` and disturb nothing. A process that dies leaves a draft that is ignored, or a place that is finished by
 * the next one that tries. Throws `VAULT_EXISTS`, `VAULT_INACCESSIBLE`.
 */
export async function createPlace(dir: string, furnish: Furnish = async () => {}): Promise<void> {
  try {
    await makePlace(dir, furnish)
  } catch (error) {
    throw systemError<PlaceErrorCode>('VAULT_INACCESSIBLE', dir, error)
  }
}

/** Throws `VAULT_EXISTS` unless the folder does not exist, is empty, or holds only what attempts have left. */
export async function checkVacant(dir: string): Promise<void> {
  try {
    await findBegun(dir)
  } catch (error) {
    throw systemError<PlaceErrorCode>('VAULT_INACCESSIBLE', dir, error)
  }
}

async function makePlace(dir: string, furnish: Furnish): Promise<void> {
  await refuseOccupied(dir)
  await createFolder(dir, 0o700)
  const draft = join(dir, `${DRAFT_PREFIX}${toHex(randomBytes(8))}`)
  try {
    await writeDraft(draft, furnish)
    if (!(await takeName(join(draft, CLAIM), join(dir, CLAIM)))) {
      await refuseOccupied(dir)
      throw occupied(dir, IS_PLACE)
    }
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
  await moveIn(draft, dir)
}

async function writeDraft(draft: string, furnish: Furnish): Promise<void> {
  await mkdir(draft, { mode: 0o700 })
  await mkdir(join(draft, 'objects'), { mode: 0o700 })
  const path = join(draft, SOUP_FILE)
  // SQLite gives a database the mode of the process, and the files beside it the mode of the database.
  await (await open(path, 'wx', 0o600)).close()
  const info: PlaceInfo = { instance: toHex(randomBytes(16)), key: await createPlaceKey(draft) }
  {
    await using soups = await openSqliteSoupStore({ path, mode: 'create' })
    await furnish({ dir: draft, soups, info })
  }
  await keepReserve(draft)
  await writeDurably(join(draft, PLACE_FILE), placeFileText(info))
  await writeChecksums(draft)
}

/** Moves a draft whose claim is in the folder after it. Several processes may do so at once: each child is moved once. */
async function moveIn(draft: string, dir: string): Promise<void> {
  const move = (child: string) => rename(join(draft, child), join(dir, child)).catch(unlessGone)
  for (const child of CONTENT) await move(child)
  await flushFolder(dir)
  await move(PLACE_FILE)
  await flushFolder(dir)
  await rmdir(draft).catch(unlessGone)
}

/** Returns where the folder is vacant; a place that is nearly made is finished, so that there is one where this throws. */
async function refuseOccupied(dir: string): Promise<void> {
  const begun = await findBegun(dir)
  if (begun === undefined) return
  await moveIn(begun, dir)
  throw occupied(dir, IS_PLACE)
}

/** The draft of which a part is in the folder, if any. Throws `VAULT_EXISTS` where anything else is in it. */
async function findBegun(dir: string): Promise<string | undefined> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  if (names.includes(PLACE_FILE)) throw occupied(dir, IS_PLACE)
  const others = names.filter((name) => !name.startsWith(DRAFT_PREFIX))
  if (others.length === 0) return undefined
  if (others.every((name) => CHILDREN.includes(name))) {
    for (const name of names) {
      const draft = join(dir, name)
      // Complete, but for what has been moved. A draft that lost, or is being written, has its keys, or no description.
      if (!others.includes(name) && (await isThere(join(draft, PLACE_FILE))) && !(await isThere(join(draft, CLAIM))))
        return draft
    }
  }
  throw occupied(dir, `it is not empty, and has ${others.length} other files or folders in it`)
}

async function takeName(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
    throw error
  }
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    (error: unknown) => {
      unlessGone(error)
      return false
    },
  )
}

function unlessGone(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}

function occupied(dir: string, why: string): VaultError<PlaceErrorCode> {
  return new VaultError({ code: 'VAULT_EXISTS', message: `${dir} cannot become a vault: ${why}.`, details: { dir } })
}
