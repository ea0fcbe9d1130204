import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROOT } from '../workspace.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vault-age-'))
})
afterAll(() => rm(folder, { recursive: true }))

function keys(...args: readonly string[]): Record<string, unknown> {
  const bin = join(ROOT, 'node_modules/.bin/vaultctl')
  const env = { ...process.env, VAULT_KEYSTORE: join(folder, 'keystore') }
  const stdout = execFileSync(bin, ['keys', ...args, '--json'], { env, encoding: 'utf8', stdio: 'pipe' })
  return JSON.parse(stdout) as Record<string, unknown>
}

// age asks for a passphrase at a terminal and nowhere else: script gives it one.
function decryptAtTerminal(file: string, passphrase: string): string {
  const out = join(folder, 'opened')
  const command = `age -d -o ${JSON.stringify(out)} ${JSON.stringify(file)}`
  execFileSync('sh', ['-c', `(sleep 2; printf '%s\\n' "$1") | script -qec "$2" /dev/null`, 'sh', passphrase, command])
  return out
}

test('age opens a key of the keystore under its passphrase', async () => {
  await writeFile(join(folder, 'passphrase'), 'correct horse\n')
  const made = keys('new', 'carol', '--passphrase-file', join(folder, 'passphrase'))
  const record = JSON.parse(await readFile(decryptAtTerminal(String(made.file), 'correct horse'), 'utf8'))
  expect(record).toMatchObject({ type: 'ed25519', key: made.key })
})

test('the holders of shares decrypt them with age, and the key comes back', async () => {
  const holders = [0, 1].map((i) => {
    const identity = join(folder, `identity-${i}`)
    execFileSync('age-keygen', ['-o', identity], { stdio: 'pipe' })
    return { identity, recipient: execFileSync('age-keygen', ['-y', identity], { encoding: 'utf8' }).trim() }
  })
  const { key } = keys('new', 'dora', '--no-passphrase')
  const to = holders.map(({ recipient }) => recipient)
  const split = keys(
    'split',
    'dora',
    '--shares',
    '2',
    '--threshold',
    '2',
    '--out',
    join(folder, 'shares'),
    '--to',
    ...to,
  )
  const files = (split.files as readonly { file: string }[]).map(({ file }, i) => {
    const out = join(folder, `share-${i}`)
    execFileSync('age', ['-d', '-i', holders[i]?.identity as string, '-o', out, file])
    return out
  })
  expect(keys('recover', 'dora2', '--no-passphrase', '--from', ...files)).toMatchObject({ key })
})
