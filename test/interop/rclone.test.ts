import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROOT } from '../workspace.ts'

let folder: string
let tree: string
let vault: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vault-rclone-'))
  tree = join(folder, 'tree')
  vault = join(folder, 'vault')
  await mkdir(join(tree, 'a/b'), { recursive: true })
  for (let n = 0; n < 50; n++) await writeFile(join(tree, `a/small-${n}`), randomBytes(n * 37))
  await writeFile(join(tree, 'a/b/large'), randomBytes(3 * 1024 * 1024 + 1))
  await writeFile(join(tree, 'naïve name, with spaces.txt'), 'text\n')
  run('vaultctl', 'init', vault, '--no-passphrase')
  execFileSync(bin('vaultctl'), ['put', vault, 'tree'], { cwd: folder })
})
afterAll(() => rm(folder, { recursive: true }))

function bin(program: string): string {
  return join(ROOT, 'node_modules/.bin', program)
}

function run(program: 'vaultctl' | 'vault-migrate', ...args: readonly string[]): void {
  execFileSync(bin(program), args, { stdio: 'pipe' })
}

/** Throws where a file is missing, superfluous or different on either side. */
function compareTrees(one: string, other: string): void {
  execFileSync('rclone', ['check', '--download', one, other], { stdio: 'pipe' })
}

test('what comes out of a vault is, for rclone, what went in', async () => {
  const out = join(folder, 'out')
  run('vaultctl', 'get', vault, 'tree', '-o', out)
  compareTrees(tree, out)
})

test('so it is after a migration', async () => {
  const moved = join(folder, 'moved')
  const out = join(folder, 'moved-out')
  run('vault-migrate', 'run', '--from', vault, '--to', moved)
  run('vaultctl', 'get', moved, 'tree', '-o', out)
  compareTrees(tree, out)
})

test('a vault that rclone copied verifies, and one that it copied badly does not', async () => {
  const copied = join(folder, 'copied')
  const damaged = join(folder, 'damaged')
  execFileSync('rclone', ['copy', vault, copied])
  run('vaultctl', 'verify', copied)
  await cp(copied, damaged, { recursive: true })
  execFileSync('rclone', ['delete', join(damaged, 'objects'), '--include', '*.pack'])
  expect(() => run('vaultctl', 'verify', damaged)).toThrow()
})
