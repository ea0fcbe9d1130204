import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createVault, moveSourceOf, openMoveTarget, openVault, owner, placeName, type Vault } from '@vault/embedded'
import { isEnded, listMoves, moveVault, planMigration, resumeMove } from '@vault/migration'
import { installPrograms } from '../debian-packages.ts'
import type { Campaign } from './campaign.ts'
import { expectSound } from './command-workloads.ts'
import { CutDisk, type DiskEvent, type RecordedDisk, recordDisk } from './recorded-disk.ts'
import { type SeededNumbers, seededNumbers } from './seeded-numbers.ts'

const run = promisify(execFile)
/** Cuts of one recorded life. */
const CUTS_OF_A_LIFE = 100
const NAMES = 12
/** Milliseconds in which a vault opens after the power failed. */
const LONGEST_OPENING = 2_000

/**
 * The power fails under a real file system: a vault, its database and a second place lie in ext4 on a disk that records every write and
 * flush, and a cut leaves of what was not flushed whatever chance leaves, torn and in any order. Nothing acknowledged is lost.
 */
export const diskCuts: Campaign = {
  name: 'disk-cuts',
  small: 10,
  full: 1_000,
  run: async ({ seed, points, folder }) => {
    await installPrograms(
      { 'mkfs.ext4': 'e2fsprogs', 'pkg-config': 'pkg-config' },
      { '/usr/include/fuse3': 'libfuse3-dev' },
    )
    const wrong: string[] = []
    const told = { acts: 0, writes: 0, longest: 0 }
    for (let done = 0; done < points; done += CUTS_OF_A_LIFE) {
      const cuts = Math.min(CUTS_OF_A_LIFE, points - done)
      const space = await mkdtemp(join(folder, 'life-'))
      const of = seed + done / CUTS_OF_A_LIFE
      const life = await liveAndCut(space, seededNumbers(of), cuts)
      wrong.push(...life.wrong.map((text) => `seed ${of}: ${text}`))
      told.acts += life.acts
      told.writes += life.writes
      told.longest = Math.max(told.longest, life.longest)
      if (life.wrong.length === 0) await rm(space, { recursive: true })
    }
    const note = `${told.acts} acts acknowledged, ${told.writes} writes of the disk, longest opening ${Math.round(told.longest)} ms`
    return { points, wrong, note }
  },
}

type Place = 'A' | 'B'

/** Something that changes names, or where the vault is. */
interface Act {
  /** What each name has when it is done; `undefined`: it is gone. */
  readonly names: ReadonlyMap<string, Uint8Array | undefined>
  readonly at: Place
  readonly to?: Place
}

async function liveAndCut(
  folder: string,
  numbers: SeededNumbers,
  cuts: number,
): Promise<{ readonly wrong: string[]; readonly acts: number; readonly writes: number; readonly longest: number }> {
  const disk = await recordDisk(folder)
  const acts = await live(disk, folder, numbers)
  const { blank, events } = await disk.end()
  const begins = events.findIndex((event) => event.kind === 'mark' && event.text === 'end 0')
  const counts = Array.from({ length: cuts }, () => begins + 1 + numbers.below(events.length - begins))
  const cutDisk = await CutDisk.begin(folder, blank, events)
  const mounted = join(folder, 'after')
  await mkdir(mounted)
  const wrong: string[] = []
  let longest = 0
  for (const count of counts.sort((a, b) => a - b)) {
    const image = await cutDisk.at(count, numbers)
    await mountCut(image, mounted)
    try {
      longest = Math.max(longest, await expectAll(mounted, acts, marksOf(events.slice(0, count))))
    } catch (error) {
      wrong.push(`behind ${count} of ${events.length}: ${error instanceof Error ? error.stack : error}`)
    } finally {
      await run('umount', [mounted])
    }
  }
  return { wrong, acts: acts.length, writes: events.filter(({ kind }) => kind === 'write').length, longest }
}

/**
 * Mounts what is left. A super block lies in two sectors: where it is torn between them the file system does not guess, and its own repair
 * puts it right from a copy.
 */
async function mountCut(image: string, mounted: string): Promise<void> {
  const mount = () => run('mount', ['-o', 'loop', image, mounted])
  try {
    await mount()
  } catch {
    await run('e2fsck', ['-y', image]).catch((error: { readonly code?: unknown }) => {
      // 1: there were errors, and they are corrected.
      if (error.code !== 1) throw error
    })
    await mount()
  }
}

/** A life of a vault: what was done, each act marked before it and when it is acknowledged. */
async function live(disk: RecordedDisk, folder: string, numbers: SeededNumbers): Promise<readonly Act[]> {
  const { below } = numbers
  const acts: Act[] = []
  const doing = async (act: Act, work: () => Promise<void>) => {
    await disk.mark(`begin ${acts.length}`)
    await work()
    await disk.mark(`end ${acts.length}`)
    acts.push(act)
  }
  const dirOf = (place: Place) => join(disk.dir, place)
  const none = new Map<string, Uint8Array>()
  await doing({ names: none, at: 'A' }, async () => void (await createVault(dirOf('A'), { passphrase: undefined })))
  let at: Place = 'A'
  for (let session = 0; session < 6; session++) {
    {
      await using vault = await openVault(dirOf(at))
      for (let i = 0; i < 5; i++) {
        if (below(5) === 0) await doing({ names: none, at }, () => reclaim(vault))
        else if (below(4) === 0) {
          const names = await someNames(vault, numbers)
          const gone = new Map(names.map((name) => [name, undefined]))
          if (names.length > 0) await doing({ names: gone, at }, async () => void (await vault.remove(names)))
        } else {
          const tree = await mkdtemp(join(folder, 'tree-'))
          const names = await writeSome(tree, numbers)
          await doing({ names, at }, () => putAll(vault, tree))
          await rm(tree, { recursive: true })
        }
      }
    }
    if (session % 3 !== 2) continue
    const to: Place = at === 'A' ? 'B' : 'A'
    await doing({ names: none, at, to }, () => move(dirOf(at), dirOf(to)))
    at = to
  }
  return acts
}

async function writeSome(tree: string, { below, bytes }: SeededNumbers): Promise<ReadonlyMap<string, Uint8Array>> {
  const names = new Map<string, Uint8Array>()
  for (let i = 1 + below(4); i > 0; i--) {
    const name = `f${below(NAMES)}`
    const content = bytes(1 + below(below(6) === 0 ? 150_000 : 4_000))
    await writeFile(join(tree, name), content)
    names.set(name, content)
  }
  return names
}

async function putAll(vault: Vault, tree: string): Promise<void> {
  const before = process.cwd()
  // Names are paths as they are given.
  process.chdir(tree)
  try {
    for await (const _ of vault.putFiles(['.']));
  } finally {
    process.chdir(before)
  }
}

async function someNames(vault: Vault, { below }: SeededNumbers): Promise<readonly string[]> {
  const names: string[] = []
  for await (const page of vault.files()) names.push(...page.map(({ name }) => name))
  return names.filter(() => below(3) === 0)
}

async function reclaim(vault: Vault): Promise<void> {
  for await (const _ of vault.reclaim({ maxUnused: 0 }));
}

async function move(from: string, to: string): Promise<void> {
  await using vault = await openVault(from)
  await using target = await openMoveTarget(to)
  const source = await moveSourceOf(vault)
  const named = { label: placeName(to), look: target.look }
  const plan = await planMigration({ source, target: named, authorize: owner }, { handoff: { keys: 'new' } })
  for await (const _ of moveVault(plan, { source, target, authorize: owner }));
}

/** How many acts had begun, and how many were acknowledged. */
interface Marks {
  readonly begun: number
  readonly ended: number
}

function marksOf(events: readonly DiskEvent[]): Marks {
  const count = (word: string) =>
    events.filter((event) => event.kind === 'mark' && event.text.startsWith(`${word} `)).length
  return { begun: count('begin'), ended: count('end') }
}

/** Throws where something acknowledged is lost, or something is damaged. Gives the milliseconds in which the vault opened. */
async function expectAll(mounted: string, acts: readonly Act[], { begun, ended }: Marks): Promise<number> {
  const [last, open] = [acts[ended - 1] as Act, begun > ended ? acts[ended] : undefined]
  const dirOf = (place: Place) => join(mounted, place)
  const at = last.to ?? last.at
  const started = performance.now()
  {
    await using vault = await openVault(dirOf(at), { mode: 'read' })
    if (performance.now() - started > LONGEST_OPENING) throw new Error('it opened slowly')
    await expectSound(vault)
  }
  const took = performance.now() - started
  const place = open?.to === undefined ? at : await goOn(dirOf(at), dirOf(open.to), [at, open.to])
  const other: Place = place === 'A' ? 'B' : 'A'
  if ((await stateOf(dirOf(other))) === 'active') throw new Error('two places are active')
  await using vault = await openVault(dirOf(place))
  const { state } = await vault.soup.tenure()
  if (state !== 'active') throw new Error(`${place} is ${state}`)
  await expectSound(vault)
  const held = new Map<string, Uint8Array | undefined>()
  for (const { names } of acts.slice(0, ended)) for (const [name, bytes] of names) held.set(name, bytes)
  for (const name of new Set([...held.keys(), ...(open?.names.keys() ?? [])])) {
    const allowed = [held.get(name), ...(open?.names.has(name) ? [open.names.get(name)] : [])]
    const found = await contentOf(vault, name)
    const fits = allowed.some((bytes) => (bytes === undefined ? found === undefined : found?.equals(bytes) === true))
    if (!fits) throw new Error(`${name} ${found === undefined ? 'is lost' : 'has wrong bytes, or was removed'}`)
  }
  await vault.put(Buffer.from('it takes changes'))
  return took
}

/** Finishes a move that the cut has stopped, if it had begun; gives where the vault is. */
async function goOn(from: string, to: string, [at, other]: readonly [Place, Place]): Promise<Place> {
  await using vault = await openVault(from)
  const source = await moveSourceOf(vault)
  const open = (await listMoves(source.records)).find(({ phase }) => !isEnded(phase))
  if (open === undefined) return (await vault.soup.tenure()).state === 'active' ? at : other
  await using target = await openMoveTarget(to)
  for await (const _ of resumeMove(open.migration, { source, target, authorize: owner }));
  return other
}

async function stateOf(dir: string): Promise<string> {
  const vault = await openVault(dir, { mode: 'read' }).catch(() => undefined)
  if (vault === undefined) return 'none'
  await using _ = vault
  return (await vault.soup.tenure()).state
}

async function contentOf(vault: Vault, name: string): Promise<Buffer | undefined> {
  const file = await vault.file(name)
  return file && Buffer.concat(await Array.fromAsync(vault.read(file.object)))
}
