import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type ContentId, isVaultError } from '@vault/core'
import { createVault, openVault, type Vault } from '@vault/embedded'
import type { Campaign } from './campaign.ts'
import { seededNumbers } from './seeded-numbers.ts'

/** What came of a flip: the vault did not open or read, a scrub named it, or nobody could tell, as it is in no row. */
type Fate = 'refused' | 'named' | 'unused'

/** Single bits of every file of a vault, flipped: each is found, or is in space that no row uses. No read gives wrong bytes. */
export const bitFlips: Campaign = {
  name: 'bit-flips',
  small: 100,
  full: 10_000,
  run: async ({ seed, points, folder }) => {
    const numbers = seededNumbers(seed)
    const dir = join(folder, 'vault')
    await makeVault(dir, numbers.bytes)
    const kinds = await filesByKind(dir)
    const sound = await stateOf(dir)
    const rows = rowsOf(join(dir, 'soup.sqlite'))
    const wrong: string[] = []
    const fates = new Map<string, number>()
    const names = [...kinds.keys()]
    for (let i = 0; i < points; i++) {
      const kind = names[numbers.below(names.length)] as string
      const files = kinds.get(kind) as readonly string[]
      const file = files[numbers.below(files.length)] as string
      const bytes = await readFile(file)
      if (bytes.length === 0) continue
      const at = numbers.below(bytes.length)
      const bit = numbers.below(8)
      await overwrite(file, at, (bytes[at] as number) ^ (1 << bit))
      const fate = await fateOf(dir, sound, rows).catch((error: unknown) => String(error))
      const where = `${kind} ${fate}`
      if (fate === 'refused' || fate === 'named' || (fate === 'unused' && kind === 'soup')) {
        fates.set(where, (fates.get(where) ?? 0) + 1)
      } else wrong.push(`bit ${bit} of byte ${at} of ${relative(dir, file)}: ${fate}`)
      await overwrite(file, at, bytes[at] as number)
      for (const suffix of ['-wal', '-shm']) await rm(join(dir, `soup.sqlite${suffix}`), { force: true })
    }
    const note = [...fates].toSorted().map(([where, count]) => `${where} ${count}`)
    return { points, wrong, note: note.join(', ') }
  },
}

async function makeVault(dir: string, bytes: (length: number) => Uint8Array): Promise<void> {
  await createVault(dir, { passphrase: undefined })
  for (let session = 0; session < 3; session++) {
    await using vault = await openVault(dir)
    const tree = `${dir}-${session}`
    await mkdir(tree)
    for (let i = 0; i < 5; i++) await writeFile(join(tree, `f${i}`), bytes(20 + 400 * i))
    for await (const _ of vault.putFiles([tree]));
    await vault.remove([join(tree, 'f0').slice(1)])
  }
  // A file that only looks like an index makes the next session write one.
  await mkdir(join(dir, 'objects/index'), { recursive: true })
  await writeFile(join(dir, 'objects/index', `${'0'.repeat(32)}.idx`), 'not an index')
  await (await openVault(dir))[Symbol.asyncDispose]()
  // Free pages tell nothing: what is flipped in them is in no row.
  const db = new DatabaseSync(join(dir, 'soup.sqlite'))
  db.exec('VACUUM')
  db.close()
}

async function filesByKind(dir: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = await readdir(dir, { recursive: true, withFileTypes: true })
  // The reserve only takes up room.
  const told = found.filter((file) => file.isFile() && file.name !== 'reserve')
  const files = told.map((file) => join(file.parentPath, file.name))
  const kinds = Map.groupBy(files, (file) => kindOf(relative(dir, file)))
  for (const kind of ['soup', 'pack', 'index', 'keys', 'tile', 'checkpoint', 'head', 'vault.json', 'SHA256SUMS']) {
    if (!kinds.has(kind)) throw new Error(`The vault has no file of the kind ${kind}`)
  }
  return kinds
}

function kindOf(file: string): string {
  if (file.endsWith('.pack')) return 'pack'
  if (file.endsWith('.idx')) return 'index'
  if (file.startsWith('soup.sqlite')) return 'soup'
  if (file.startsWith('keys/')) return 'keys'
  if (file.includes('/.state/')) return 'head'
  if (file.includes('/tile/')) return 'tile'
  return file.includes('/checkpoint') ? 'checkpoint' : file
}

/** In place, so that further names of the file stay. */
async function overwrite(file: string, at: number, byte: number): Promise<void> {
  const handle = await open(file, 'r+')
  await handle.write(Uint8Array.of(byte), 0, 1, at)
  await handle.close()
}

interface State {
  readonly files: readonly string[]
  readonly objects: ReadonlyMap<ContentId, Uint8Array>
}

/** All names, and the bytes of every object under charge. */
async function stateOf(dir: string): Promise<State> {
  await using vault = await openVault(dir, { mode: 'read' })
  return await readState(vault)
}

async function readState(vault: Vault): Promise<State> {
  const files: string[] = []
  const objects = new Map<ContentId, Uint8Array>()
  for await (const page of vault.files()) {
    for (const { name, object, size, mode } of page) {
      files.push(JSON.stringify([name, object, size, mode]))
      const bytes = await vault.get(object)
      if (bytes !== undefined) objects.set(object, bytes)
    }
  }
  return { files, objects }
}

/** Throws where something is read that is not what was stored, or nobody notices what is damaged. */
async function fateOf(dir: string, sound: State, rows: string): Promise<Fate> {
  try {
    await using vault = await openVault(dir, { mode: 'read' })
    // Each object for itself, also where names or others cannot be read.
    for (const [id, expected] of sound.objects) {
      const bytes = await vault.get(id).catch(orRefused)
      if (bytes !== undefined && !Buffer.from(bytes).equals(expected)) throw new Error(`wrong bytes of ${id}`)
    }
    const state = await readState(vault).catch(orRefused)
    if (state !== undefined && state.files.join() !== sound.files.join()) throw new Error('other names')
    for await (const event of vault.scrub()) {
      if (event.type !== 'report') continue
      if (!event.ok || event.notes.length > 0) return 'named'
    }
  } catch (error) {
    orRefused(error)
    return 'refused'
  }
  if (rowsOf(join(dir, 'soup.sqlite')) !== rows) throw new Error('a row is another, and nobody noticed')
  return 'unused'
}

function orRefused(error: unknown): undefined {
  if (!isVaultError(error)) throw error
}

/** Every row of every table, as SQLite itself reads them. */
function rowsOf(path: string): string {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const tables = db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name").all()
    const rows = tables.map(({ name }) => db.prepare(`SELECT * FROM "${String(name)}"`).all())
    return JSON.stringify([tables, rows], (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    )
  } finally {
    db.close()
  }
}
