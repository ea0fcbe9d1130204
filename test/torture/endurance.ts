import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createVault, openVault, type Vault } from '@vault/embedded'
import type { Campaign } from './campaign.ts'
import { expectSound } from './command-workloads.ts'
import { type SeededNumbers, seededNumbers } from './seeded-numbers.ts'

/**
 * Days in the life of a vault, by its own clock: every hour somebody puts, replaces or removes files and is stopped at times, every night
 * room is reclaimed. Nothing that was acknowledged is lost, and neither bytes nor files grow beyond what is held.
 */
export const endurance: Campaign = {
  name: 'endurance',
  small: 2,
  full: 14,
  run: async ({ seed, points: days, folder }) => {
    const numbers = seededNumbers(seed)
    const life = new Life(join(folder, 'vault'), join(folder, 'tree'), numbers)
    const wrong: string[] = []
    await createVault(life.dir, { passphrase: undefined, clock: life.clock })
    for (let day = 1; day <= days && wrong.length === 0; day++) {
      try {
        for (let hour = 0; hour < 24; hour++) await life.hour()
        await life.night()
      } catch (error) {
        wrong.push(`day ${day}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    const { told } = life
    const note = `${told.acknowledged} files acknowledged, ${told.stopped} acts stopped, ${(told.freed / 1e6).toFixed(1)} MB freed, at most ${told.packs} packs`
    return { points: days, wrong, note }
  },
}

const HOUR = 3_600_000
const NAMES = 60
/** Of the bytes of packs, what may be neither content nor waiting for the next night. */
const OVERHEAD = 1.3
/** Held lists of names and ids, and what is around each record. */
const ALLOWANCE = 512 * 1024
const MOST_PACKS = 40

class Life {
  readonly told = { acknowledged: 0, stopped: 0, freed: 0, packs: 0 }
  readonly dir: string
  readonly #tree: string
  readonly #numbers: SeededNumbers
  #now = 1_700_000_000_000
  /** What each name has, as far as it was acknowledged; `undefined` where it is not certain. */
  readonly #files = new Map<string, Uint8Array | undefined>()
  readonly clock = (): Date => new Date(this.#now)

  constructor(dir: string, tree: string, numbers: SeededNumbers) {
    this.dir = dir
    this.#tree = tree
    this.#numbers = numbers
  }

  async hour(): Promise<void> {
    const { below } = this.#numbers
    // Clocks go back too.
    this.#now += below(10) === 0 ? -5 * HOUR : HOUR
    await using vault = await openVault(this.dir, { clock: this.clock })
    if (below(3) === 0) await this.#remove(vault)
    else await this.#put(vault)
  }

  async night(): Promise<void> {
    await using vault = await openVault(this.dir, { clock: this.clock })
    for await (const event of vault.reclaim()) if (event.type === 'report') this.told.freed += event.bytesFreed
    await expectSound(vault)
    for (const [name, bytes] of this.#files) await expectFile(vault, name, bytes)
    const { bytes: held } = await vault.status()
    const packs = (await readdir(join(this.dir, 'objects'))).filter((name) => name.endsWith('.pack'))
    const sizes = await Promise.all(packs.map(async (name) => (await stat(join(this.dir, 'objects', name))).size))
    const used = sizes.reduce((sum, size) => sum + size, 0)
    this.told.packs = Math.max(this.told.packs, packs.length)
    if (used > OVERHEAD * held + ALLOWANCE) throw new Error(`${used} bytes in packs for ${held} of content`)
    if (packs.length > MOST_PACKS) throw new Error(`${packs.length} packs`)
  }

  async #put(vault: Vault): Promise<void> {
    const { below, bytes } = this.#numbers
    await rm(this.#tree, { recursive: true, force: true })
    await mkdir(this.#tree, { recursive: true })
    const files = new Map<string, Uint8Array>()
    for (let i = 1 + below(8); i > 0; i--) {
      const name = `f${below(NAMES)}`
      files.set(name, bytes(1 + below(below(5) === 0 ? 300_000 : 5_000)))
      await writeFile(join(this.#tree, name), files.get(name) as Uint8Array)
    }
    const isStopped = below(6) === 0
    const controller = new AbortController()
    const nameOf = (name: string) => join(this.#tree, name).slice(1)
    if (isStopped) {
      for (const name of files.keys()) this.#files.set(nameOf(name), undefined)
      setTimeout(() => controller.abort(new Error('stopped')), below(12))
    }
    try {
      for await (const _ of vault.putFiles([this.#tree], { signal: controller.signal }));
      for (const [name, content] of files) this.#files.set(nameOf(name), content)
      this.told.acknowledged += files.size
    } catch (error) {
      if (!controller.signal.aborted) throw error
      this.told.stopped += 1
    }
  }

  async #remove(vault: Vault): Promise<void> {
    const names = [...this.#files.keys()].filter(() => this.#numbers.below(4) === 0)
    const there: string[] = []
    for (const name of names) if ((await vault.file(name)) !== undefined) there.push(name)
    if (there.length > 0) await vault.remove(there)
    for (const name of names) this.#files.delete(name)
  }
}

/** Throws where a file has not the bytes that were acknowledged. */
async function expectFile(vault: Vault, name: string, bytes: Uint8Array | undefined): Promise<void> {
  const file = await vault.file(name)
  if (bytes === undefined && file === undefined) return
  if (file === undefined) throw new Error(`lost ${name}`)
  const read = Buffer.concat(await Array.fromAsync(vault.read(file.object)))
  if (bytes !== undefined && !read.equals(bytes)) throw new Error(`wrong bytes in ${name}`)
}
