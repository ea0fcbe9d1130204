import { execFile } from 'node:child_process'
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isVaultError } from '@vault/core'
import { createVault, openVault, type Vault } from '@vault/embedded'
import type { Campaign } from './campaign.ts'
import { expectSound } from './command-workloads.ts'
import { seededNumbers } from './seeded-numbers.ts'

const run = promisify(execFile)
const SIZE = 6 * 1024 * 1024
const FILE = 20_000

/** A disk that fills up at a random place of a put: it is said by name, what was held can be read, and with room the put goes on. */
export const fullDisk: Campaign = {
  name: 'full-disk',
  small: 3,
  full: 50,
  run: async ({ seed, points, folder }) => {
    const numbers = seededNumbers(seed)
    const tree = join(folder, 'tree')
    await mkdir(tree)
    for (let i = 0; i < 30; i++) await writeFile(join(tree, `f${i}`), numbers.bytes(FILE))
    const wrong: string[] = []
    let refused = 0
    for (let i = 0; i < points; i++) {
      // From no room at all to room for everything.
      const room = numbers.below(1_200_000)
      const disk = join(folder, `disk-${i}`)
      await mkdir(disk)
      await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', disk])
      try {
        if (await fillAndGoOn(disk, tree, room)) refused++
      } catch (error) {
        wrong.push(`room for ${room} bytes: ${error instanceof Error ? error.stack : error}`)
      } finally {
        await run('umount', [disk])
        await rm(disk, { recursive: true })
      }
    }
    return { points, wrong, note: `${refused} puts refused, ${points - refused} had room` }
  },
}

/** Whether the disk was too full. */
async function fillAndGoOn(disk: string, tree: string, room: number): Promise<boolean> {
  const dir = join(disk, 'vault')
  const first = Buffer.from('acknowledged before the disk was full')
  await createVault(dir, { passphrase: undefined })
  const id = await within(dir, (vault) => vault.put(first))
  const { bavail, bsize } = await statfs(disk)
  await writeFile(join(disk, 'ballast'), Buffer.alloc(Math.max(0, bavail * bsize - room)))
  const error = await within(dir, async (vault) => {
    for await (const _ of vault.putFiles([tree]));
  }).then(
    () => undefined,
    (error: unknown) => error,
  )
  const isFull = error !== undefined
  if (isFull && !isVaultError(error)) throw error
  const files = await openVault(dir, { mode: 'read' }).then(async (vault) => {
    await using _ = vault
    if (!first.equals((await vault.get(id)) ?? Buffer.alloc(0))) throw new Error('what was held cannot be read')
    await expectSound(vault)
    return await countFiles(vault)
  })
  if (!isFull && files !== 30) throw new Error(`acknowledged, and ${files} files are there`)
  await rm(join(disk, 'ballast'))
  await within(dir, async (vault) => {
    for await (const _ of vault.putFiles([tree]));
    if ((await countFiles(vault)) !== 30) throw new Error('not all is there, though there was room')
    await expectSound(vault)
  })
  return isFull
}

async function within<Result>(dir: string, act: (vault: Vault) => Promise<Result>): Promise<Result> {
  await using vault = await openVault(dir)
  return await act(vault)
}

async function countFiles(vault: Vault): Promise<number> {
  let count = 0
  for await (const page of vault.files()) count += page.length
  return count
}
