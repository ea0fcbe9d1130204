import { createHash } from 'node:crypto'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContentId, KeyId, VaultId } from '@vault/core'
import { createVault, openVault } from '@vault/embedded'
import { expectSound } from './command-workloads.ts'
import { type SeededNumbers, seededNumbers } from './seeded-numbers.ts'

/** A vault in a folder `A`, to be copied and moved again and again. */
export interface MoveGround {
  readonly dir: string
  readonly vault: VaultId
  /** The key of its place. */
  readonly key: KeyId
  /** Of all its files together. */
  readonly bytes: number
  readonly contents: ReadonlyMap<string, Buffer>
}

/** Makes one of so many files, each of at most so many bytes. */
export async function layMoveGround(
  folder: string,
  { seed, files, longest }: { readonly seed: number; readonly files: number; readonly longest: number },
): Promise<MoveGround> {
  const [dir, tree] = [join(folder, 'ground'), join(folder, 'tree')]
  const numbers = seededNumbers(seed)
  const contents = new Map<string, Buffer>()
  await mkdir(tree, { recursive: true })
  for (let i = 0; i < files; i++) {
    const path = join(tree, `f${i}`)
    const content = fastBytes(numbers, Math.ceil(longest / 2) + numbers.below(longest / 2))
    await writeFile(path, content)
    contents.set(path.slice(1), content)
  }
  await createVault(join(dir, 'A'), { passphrase: undefined })
  await using vault = await openVault(join(dir, 'A'))
  for await (const _ of vault.putFiles([tree]));
  const bytes = [...contents.values()].reduce((sum, content) => sum + content.length, 0)
  return { dir, vault: vault.id, key: vault.place.info.key, bytes, contents }
}

/** As many as a seed repeats, at the speed of a hash. */
function fastBytes({ below }: SeededNumbers, length: number): Buffer {
  return createHash('shake256', { outputLength: length })
    .update(String(below(2 ** 31)))
    .digest()
}

export async function copyMoveGround({ dir }: MoveGround, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  await cp(join(dir, 'A'), join(to, 'A'), { recursive: true })
}

/**
 * Throws unless the vault of the ground has moved from `A` to `B`: active there and nowhere else, sound with its log, with all that it had
 * and all that was acknowledged.
 */
export async function expectMoved(
  dir: string,
  { contents }: MoveGround,
  acknowledged: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  await using left = await openVault(join(dir, 'A'), { mode: 'read' })
  await using vault = await openVault(join(dir, 'B'))
  const states = [await left.soup.tenure(), await vault.soup.tenure()].map(({ state }) => state)
  if (states.join() !== 'retired,active') throw new Error(`one is ${states.join(', the other one ')}`)
  const [before, after] = [await left.roots(), await vault.roots()]
  if (before.roots.objects !== after.roots.objects || before.roots.soup !== after.roots.soup) {
    throw new Error(`the roots are ${JSON.stringify(before)} and ${JSON.stringify(after)}`)
  }
  await expectSound(vault)
  for (const [name, content] of contents) {
    const file = await vault.file(name)
    if (file === undefined) throw new Error(`lost ${name}`)
    const bytes = Buffer.concat(await Array.fromAsync(vault.read(file.object)))
    if (!bytes.equals(content)) throw new Error(`wrong bytes in ${name}`)
  }
  const ids = [...acknowledged.values()] as ContentId[]
  const charged = await vault.soup.charged(ids)
  const lost = [...acknowledged.keys()].filter((_, i) => !charged[i])
  if (lost.length > 0) throw new Error(`lost ${lost.length} acknowledged: ${lost.slice(0, 5).join()}`)
}
