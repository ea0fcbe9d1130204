import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openVault, type Vault } from '@vault/embedded'
import type { Setting } from './campaign.ts'
import { type Ended, type Program, runProgram } from './run-program.ts'
import { seededNumbers } from './seeded-numbers.ts'

/** A command of ours, and what must hold of a vault in which it was stopped anywhere. */
export interface CommandWorkload {
  readonly name: string
  readonly program: Program
  /** Run in a copy of {@link Ground}, where the vault is `A`. */
  readonly args: readonly string[]
  /** Goes on where the stopped command was; throws where anything is wrong. Gives the milliseconds that opening took. */
  settle(dir: string, acknowledged: boolean): Promise<number>
}

/** A vault with some files, and the files on disk. */
export interface Ground {
  /** Folder to be copied. */
  readonly dir: string
  readonly workloads: readonly CommandWorkload[]
}

/** Makes a vault with six files in it and six that were removed, and six more on disk, of lengths that the seed draws. */
export async function layGround({ folder, seed }: Setting): Promise<Ground> {
  const dir = join(folder, 'ground')
  const numbers = seededNumbers(seed)
  const contents = new Map<string, Uint8Array>()
  for (const tree of ['held', 'more', 'gone']) {
    await mkdir(join(dir, tree), { recursive: true })
    for (let i = 0; i < 6; i++) {
      const bytes = numbers.bytes(1 + numbers.below(i === 0 ? 60_000 : 3_000))
      await writeFile(join(dir, tree, `f${i}`), bytes)
      contents.set(join(dir, tree, `f${i}`).slice(1), bytes)
    }
  }
  const names = [...contents.keys()]
  const held = names.filter((name) => name.includes('/held/'))
  const more = names.filter((name) => name.includes('/more/'))
  await succeed(dir, 'vaultctl', 'init', 'A', '--no-passphrase')
  await succeed(dir, 'vaultctl', 'put', 'A', join(dir, 'held'), join(dir, 'gone'))
  await succeed(dir, 'vaultctl', 'rm', '-r', 'A', join(dir, 'gone').slice(1))
  const tree = join(dir, 'more')
  const workloads = [
    putting(contents, held, more, tree),
    removing(contents, held),
    reclaiming(contents, held),
    moving(contents, held),
  ]
  return { dir, workloads }
}

type Contents = ReadonlyMap<string, Uint8Array>

function putting(contents: Contents, held: readonly string[], more: readonly string[], tree: string): CommandWorkload {
  return {
    name: 'put',
    program: 'vaultctl',
    args: ['put', 'A', tree],
    settle: async (dir, acknowledged) => {
      await succeed(dir, 'vaultctl', 'verify', 'A')
      const { vault, took } = await reopen(join(dir, 'A'))
      await using _ = vault
      await expectFiles(vault, contents, held)
      await expectFiles(vault, contents, more, acknowledged ? 'all' : 'any')
      for await (const _ of vault.putFiles([tree]));
      await expectFiles(vault, contents, [...held, ...more])
      await expectSound(vault)
      return took
    },
  }
}

function removing(contents: Contents, held: readonly string[]): CommandWorkload {
  const gone = held.slice(0, 3)
  return {
    name: 'rm',
    program: 'vaultctl',
    args: ['rm', 'A', ...gone],
    settle: async (dir, acknowledged) => {
      await succeed(dir, 'vaultctl', 'verify', 'A')
      const { vault, took } = await reopen(join(dir, 'A'))
      await using _ = vault
      await expectFiles(vault, contents, held.slice(3))
      const left = await expectFiles(vault, contents, gone, 'any')
      // They are removed by one change.
      if (left.length > 0 && (acknowledged || left.length < gone.length)) throw new Error(`still there: ${left.join()}`)
      if (left.length > 0) await vault.remove(left)
      if ((await expectFiles(vault, contents, gone, 'any')).length > 0) throw new Error('cannot be removed')
      await expectSound(vault)
      return took
    },
  }
}

function reclaiming(contents: Contents, held: readonly string[]): CommandWorkload {
  const args = ['reclaim', 'A', '--max-unused', '0']
  return {
    name: 'reclaim',
    program: 'vaultctl',
    args,
    settle: async (dir, acknowledged) => {
      await succeed(dir, 'vaultctl', 'verify', 'A')
      const again = await runProgram(dir, 'vaultctl', args)
      if (again.code !== 0) throw new Error(`again: ${said(again)}`)
      const { segments } = JSON.parse(again.stdout) as { segments: number }
      // What it writes of itself is held, so behind one that has ended nothing is left to do.
      if (acknowledged && segments > 0) throw new Error(`acknowledged, and ${segments} segments were left`)
      const { vault, took } = await reopen(join(dir, 'A'))
      await using _ = vault
      await expectFiles(vault, contents, held)
      await expectSound(vault)
      return took
    },
  }
}

function moving(contents: Contents, held: readonly string[]): CommandWorkload {
  const args = ['run', '--from', 'A', '--to', 'B', '--no-to-passphrase']
  return {
    name: 'move',
    program: 'vault-migrate',
    args,
    settle: async (dir, acknowledged) => {
      await succeed(dir, 'vaultctl', 'verify', 'A')
      const states = [await stateOf(dir, 'A'), await stateOf(dir, 'B')]
      if (states.every((state) => state === 'active')) throw new Error('both are active')
      if (acknowledged && states.join() !== 'retired,active') throw new Error(`acknowledged, and ${states.join()}`)
      const again = await runProgram(dir, 'vault-migrate', args)
      // Where it was stopped at its very end there is nothing left to move.
      if (again.code !== 0 && codeOf(again) !== 'MIGRATION_SOURCE_REFUSED') throw new Error(`again: ${said(again)}`)
      const { vault, took } = await reopen(join(dir, 'B'))
      await using _ = vault
      await expectFiles(vault, contents, held)
      await expectSound(vault)
      return took
    },
  }
}

/** A copy of the ground, in which a command may be stopped. */
export async function copyGround(ground: Ground, to: string): Promise<void> {
  for (const part of ['A', 'state']) {
    await cp(join(ground.dir, part), join(to, part), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      if (part === 'A' || error.code !== 'ENOENT') throw error
    })
  }
}

/** The code of the error that a program printed. */
export function codeOf({ stdout }: Ended): string | undefined {
  try {
    return (JSON.parse(stdout) as { error?: { code?: string } }).error?.code
  } catch {
    return undefined
  }
}

/** How a program ended, in a line. */
export function said({ code, stdout, stderr }: Ended): string {
  return `ended with ${code}: ${stdout}${stderr}`.trim().slice(0, 600)
}

async function succeed(dir: string, program: Program, ...args: readonly string[]): Promise<void> {
  const ended = await runProgram(dir, program, args)
  if (ended.code !== 0) throw new Error(`${program} ${args.join(' ')} ${said(ended)}`)
}

async function reopen(dir: string): Promise<{ readonly vault: Vault; readonly took: number }> {
  const began = performance.now()
  const vault = await openVault(dir)
  return { vault, took: performance.now() - began }
}

async function stateOf(dir: string, place: string): Promise<string> {
  const ended = await runProgram(dir, 'vaultctl', ['status', place])
  if (ended.code === 0) return (JSON.parse(ended.stdout) as { state: string }).state
  if (codeOf(ended) === 'VAULT_NOT_FOUND') return 'none'
  throw new Error(`status ${place} ${said(ended)}`)
}

/** Reads these files; gives those that are there. Throws where one has other bytes, or is not there and has to be. */
async function expectFiles(
  vault: Vault,
  contents: Contents,
  names: readonly string[],
  which: 'all' | 'any' = 'all',
): Promise<readonly string[]> {
  const there: string[] = []
  for (const name of names) {
    const file = await vault.file(name)
    if (file === undefined) {
      if (which === 'all') throw new Error(`lost ${name}`)
      continue
    }
    const bytes = Buffer.concat(await Array.fromAsync(vault.read(file.object)))
    if (!bytes.equals(contents.get(name) as Uint8Array)) throw new Error(`wrong bytes in ${name}`)
    there.push(name)
  }
  return there
}

/** Throws unless a scrub finds no damage. */
export async function expectSound(vault: Vault): Promise<void> {
  for await (const event of vault.scrub()) {
    if (event.type === 'report' && !event.ok) throw new Error(`damaged: ${JSON.stringify(event.damaged).slice(0, 400)}`)
  }
}
