import { execFileSync } from 'node:child_process'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { json, run, scratch } from './harness.ts'

type Space = Awaited<ReturnType<typeof scratch>>

interface Key {
  readonly name: string
  readonly key: string
  readonly own: boolean
  readonly sealed: boolean
  readonly file: string
}

/** Runs `vaultctl keys`, with a keystore of this space. */
const keysIn = (space: Space) => {
  const env = { VAULT_KEYSTORE: space.at('keystore') }
  return <T = Record<string, unknown>>(args: readonly string[], code = 0): Promise<T> =>
    json<T>('vaultctl', ['keys', ...args], code, { env })
}

describe('vaultctl keys', () => {
  test('makes, lists, prints and trusts keys', async () => {
    await using space = await scratch()
    const keys = keysIn(space)
    await writeFile(space.at('passphrase'), 'correct horse\n')
    const carol = await keys<Key>(['new', 'carol', '--passphrase-file', space.at('passphrase')])
    expect(carol).toMatchObject({ ok: true, name: 'carol', key: expect.stringMatching(/^ed25519:z6Mk/), sealed: true })
    expect((await stat(carol.file)).mode & 0o777).toBe(0o600)
    expect(await readFile(carol.file, 'utf8')).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----/)
    expect(await keys(['new', 'carol', '--no-passphrase'], 1)).toMatchObject({ error: { code: 'KEY_EXISTS' } })
    // A script without a passphrase gets no key by accident.
    expect(await keys(['new', 'ci'], 2)).toMatchObject({ error: { code: 'USAGE' } })
    const said = await run('vaultctl', ['keys', 'new', 'ci', '--no-passphrase', '--keystore', space.at('keystore')])
    expect([said.code, said.stderr]).toEqual([0, expect.stringContaining('WITHOUT a passphrase')])
    const forms = await Promise.all(
      ['ed25519', 'did', 'openssh'].map(async (form) => {
        return (await keys<{ public_key: string }>(['export', 'carol', '--format', form])).public_key
      }),
    )
    expect(forms).toEqual([
      carol.key,
      carol.key.replace('ed25519:', 'did:key:'),
      expect.stringMatching(/^ssh-ed25519 AAAA\S+ carol$/),
    ])
    for (const [i, form] of forms.entries())
      expect(await keys(['trust', `other${i}`, form])).toMatchObject({ key: carol.key })
    await keys(['trust', 'other2', '--remove'])
    expect(await keys(['trust', 'x', 'ssh-rsa AAAA'], 1)).toMatchObject({ error: { code: 'KEY_TEXT_INVALID' } })
    const { keys: listed } = await keys<{ keys: readonly Key[] }>(['list'])
    expect(listed.map(({ name, own, sealed }) => [name, own, sealed])).toEqual([
      ['carol', true, true],
      ['ci', true, false],
      ['other0', false, false],
      ['other1', false, false],
    ])
  })

  test('imports keys of OpenSSH and PKCS #8, and says why others are not taken', async () => {
    await using space = await scratch()
    const keys = keysIn(space)
    const make = (name: string, ...how: readonly string[]) =>
      execFileSync('ssh-keygen', ['-q', '-f', space.at(name), ...how])
    make('plain', '-t', 'ed25519', '-N', '')
    make('sealed', '-t', 'ed25519', '-N', 'secret')
    make('rsa', '-t', 'rsa', '-b', '2048', '-N', '')
    execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', space.at('pkcs8')])
    const ssh = await keys<Key>(['import', 'ssh', space.at('plain'), '--no-passphrase'])
    const line = (await readFile(space.at('plain.pub'), 'utf8')).split(' ').slice(0, 2).join(' ')
    expect((await keys<{ public_key: string }>(['export', 'ssh', '--format', 'openssh'])).public_key).toBe(
      `${line} ssh`,
    )
    expect(await keys<Key>(['trust', 'same', line])).toMatchObject({ key: ssh.key })
    await keys(['import', 'pkcs8', space.at('pkcs8'), '--no-passphrase'])
    const { file } = await keys<Key>(['new', 'made', '--no-passphrase'])
    await keys(['import', 'again', file, '--no-passphrase'])
    for (const name of ['sealed', 'rsa', 'plain.pub'])
      expect(await keys(['import', 'x', space.at(name), '--no-passphrase'], 1)).toMatchObject({
        error: { code: 'KEY_TEXT_INVALID' },
      })
    expect(await keys(['import', 'x', space.at('plain.pub'), '--no-passphrase'], 1)).toMatchObject({
      error: { message: expect.stringContaining('it is a public key') },
    })
    expect(await keys(['import', 'x', space.at('nowhere'), '--no-passphrase'], 1)).toMatchObject({
      error: { code: 'FILE_UNREADABLE', message: expect.stringMatching(/^There is no .*nowhere/) },
    })
  })

  test('tells a passphrase that was not given from a wrong one', async () => {
    await using space = await scratch()
    const keys = keysIn(space)
    for (const word of ['right', 'wrong']) await writeFile(space.at(word), word)
    await keys(['new', 'carol', '--passphrase-file', space.at('right')])
    const split = ['split', 'carol', '--shares', '2', '--threshold', '2', '--out', space.at('shares')]
    const refused = (message: RegExp) => ({
      error: { code: 'KEY_PASSPHRASE', message: expect.stringMatching(message) },
    })
    expect(await keys(split, 1)).toMatchObject(refused(/is under a passphrase, and none was given/))
    const wrong = [...split, '--passphrase-file', space.at('wrong')]
    expect(await keys(wrong, 1)).toMatchObject(refused(/^The passphrase does not open/))
  })

  test('splits a key, and puts it together from enough shares', async () => {
    await using space = await scratch()
    const keys = keysIn(space)
    const { key } = await keys<Key>(['new', 'carol', '--no-passphrase'])
    const split = ['split', 'carol', '--shares', '3', '--threshold', '2', '--out', space.at('shares')]
    const { files } = await keys<{ files: readonly { file: string }[] }>(split)
    const [first, , third] = files.map(({ file }) => file) as [string, string, string]
    const back = ['recover', 'carol2', '--no-passphrase', '--from']
    expect(await keys([...back, first], 1)).toMatchObject({ error: { code: 'KEY_SHARE_TOO_FEW' } })
    expect(await keys([...back, first, first], 1)).toMatchObject({ error: { code: 'KEY_SHARE_DUPLICATE' } })
    // The name may stand before or behind the shares.
    expect(await keys([...back, third, first])).toMatchObject({ key })
    expect(await keys(['recover', '--no-passphrase', '--from', first, third, 'carol3'])).toMatchObject({ key })
    expect(
      await keys(['split', 'carol', '--shares', '2', '--threshold', '3', '--out', space.at('x')], 2),
    ).toMatchObject({
      error: { code: 'USAGE' },
    })
  })

  test('ends a vault by its owner, who names it', async () => {
    await using space = await scratch()
    const dir = space.at('vault')
    const { vault } = await json<{ vault: string }>('vaultctl', ['init', dir, '--no-passphrase'])
    const retire = ['keys', 'retire', dir, '--confirm']
    expect(await json('vaultctl', [...retire, 'bafy'], 2)).toMatchObject({ error: { code: 'USAGE' } })
    expect(await json('vaultctl', [...retire, vault, '-m', 'archived'])).toMatchObject({ ok: true, sequence: 1 })
    for (const again of [
      [...retire, vault],
      ['keys', 'rotate', dir, '--role', 'log'],
    ])
      expect(await json('vaultctl', again, 1)).toMatchObject({ error: { code: 'VAULT_RETIRED' } })
    expect(await json('vaultctl', ['log', dir, '--verify'])).toMatchObject({ ok: true, entries: 2 })
    const { events } = await json<{ events: { why: string }[] }>('vaultctl', ['keys', 'history', dir])
    expect(events.at(-1)).toMatchObject({ why: 'retire' })
    expect(await json('vaultctl', ['status', dir])).toMatchObject({ state: 'ended', epoch: 0, ended: true })
    expect(await json('vaultctl', ['doctor', dir])).toMatchObject({ ok: true })
    const copy = space.at('copy')
    await json('vault-migrate', ['run', '--no-handoff', '--from', dir, '--to', copy])
    expect(await json('vaultctl', ['status', copy])).toMatchObject({ state: 'replica', ended: true })
  })

  test('tells the history of the keys of a vault, and replaces them', async () => {
    await using space = await scratch()
    const dir = space.at('vault')
    await json('vaultctl', ['init', dir, '--no-passphrase'])
    await writeFile(space.at('notes'), 'text')
    const { keys: made } = await json<{ keys: Record<string, string> }>('vaultctl', [
      ...['keys', 'rotate', dir, '--role', 'all', '-m', 'lost'],
    ])
    await json('vaultctl', ['put', dir, space.at('notes')])
    await json('vaultctl', ['keys', 'rotate', dir, '--role', 'log'])
    const history = await json<{
      events: { why: string; sequence: number; roles: { identity: { keys: string[] } } }[]
    }>('vaultctl', ['keys', 'history', dir])
    expect(history.events.map(({ why, sequence }) => [why, sequence])).toEqual([
      ['inception', 0],
      ['rotate', 1],
      ['rotate', 2],
    ])
    expect(history.events[1]?.roles.identity.keys).toEqual([made.identity])
    expect(await json('vaultctl', ['log', dir, '--verify'])).toMatchObject({ ok: true, entries: 4 })
    expect(await json('vaultctl', ['verify', dir])).toMatchObject({ ok: true })
    expect(await json('vaultctl', ['keys', 'rotate', dir, '--role', 'x'], 2)).toMatchObject({
      error: { code: 'USAGE' },
    })
  })
})

/** A secret in every form in which it could be written down. */
function formsOf(secret: Buffer): readonly Buffer[] {
  const texts = ['hex', 'base64', 'base64url', 'latin1'] as const
  const hex = secret.toString('hex')
  return [
    secret,
    ...texts.map((encoding) => Buffer.from(secret.toString(encoding).replace(/=+$/, ''))),
    Buffer.from(hex.toUpperCase()),
    Buffer.from(base58(secret)),
  ]
}

function base58(bytes: Buffer): string {
  const letters = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  let text = ''
  for (let value = BigInt(`0x${bytes.toString('hex')}`); value > 0n; value /= 58n)
    text = letters[Number(value % 58n)] + text
  return text
}

async function bytesBelow(dir: string): Promise<Buffer> {
  const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((each) => each.isFile())
  return Buffer.concat(await Promise.all(files.map((each) => readFile(join(each.parentPath, each.name)))))
}

test('no secret key leaves the folder in which it is kept', async () => {
  await using space = await scratch()
  const [a, b, car, cert] = [space.at('A'), space.at('B'), space.at('all.car'), space.at('moved.cert')]
  const env = { VAULT_KEYSTORE: space.at('keystore'), VAULT_STATE_DIR: space.at('state') }
  let said = ''
  const ctl = async (name: 'vaultctl' | 'vault-migrate', ...args: readonly string[]) => {
    const { code, stdout, stderr } = await run(name, args, { env })
    said += stdout + stderr
    return code
  }
  await ctl('vaultctl', 'init', a, '--no-passphrase')
  await ctl('vaultctl', 'keys', 'new', 'carol', '--no-passphrase')
  await writeFile(space.at('notes'), 'text')
  expect(await ctl('vaultctl', 'put', a, space.at('notes'))).toBe(0)
  expect(await ctl('vaultctl', 'put', a, join(a, 'keys'))).toBe(1)
  expect(said).toContain('FILE_SECRET')
  expect(await ctl('vaultctl', 'put', a, space.at('keystore'), '--json')).toBe(1)
  await ctl('vaultctl', 'keys', 'rotate', a, '--role', 'all')
  await ctl('vaultctl', 'keys', 'list')
  await ctl('vaultctl', 'keys', 'history', a, '--json')
  expect(await ctl('vaultctl', 'export', a, '.', '-o', car)).toBe(0)
  expect(await ctl('vault-migrate', 'run', '--from', a, '--to', b, '--certificate', cert, '--no-to-passphrase')).toBe(0)
  await ctl('vaultctl', 'log', b, '--json')
  const council = space.at('council')
  await ctl('vaultctl', 'keys', 'new', 'ben', '--no-passphrase')
  const [ages, recipients] = [['ben.age', 'carol.age'].map((name) => space.at(name)), [] as string[]]
  for (const file of ages) {
    execFileSync('age-keygen', ['-o', file], { stdio: 'ignore' })
    recipients.push(/public key: (\S+)/.exec(await readFile(file, 'utf8'))?.[1] as string)
  }
  const [ben, carol] = recipients
  const split = ['--split', 'carol', '--threshold', '2', '--holder', `ben=${ben}`, `carol=${carol}`]
  const plan = ['--out', council, '--as', 'carol', '--operators', '2:carol,ben', '--log', 'new', ...split]
  expect(await ctl('vaultctl', 'ceremony', 'plan', b, ...plan)).toBe(0)
  const keep = ['--age-identity', ...ages, '--keep', space.at('shares')]
  // The holder of a share is told in words what it takes, and the words have none of it.
  expect(await ctl('vaultctl', 'ceremony', 'join', council, '--as', 'carol')).toBe(1)
  expect(said).toContain('CEREMONY_SHARE_WAITS')
  expect(await ctl('vaultctl', 'ceremony', 'join', council, '--vault', b)).toBe(0)
  for (const who of ['ben', 'carol'])
    expect(await ctl('vaultctl', 'ceremony', 'join', council, '--as', who, ...keep)).toBe(0)
  expect(await ctl('vaultctl', 'ceremony', 'commit', council, '--to', b, '--json')).toBe(0)
  expect(await ctl('vaultctl', 'ceremony', 'verify', council)).toBe(0)
  await ctl(
    'vaultctl',
    'keys',
    'recover',
    'back',
    '--no-passphrase',
    '--from',
    ...ages,
    '--age-identity',
    ages[0] as string,
  )
  expect(said).toContain('KEY_SHARE_DAMAGED')
  const secrets: Buffer[] = []
  for (const dir of [join(a, 'keys'), join(b, 'keys'), space.at('keystore')]) {
    for (const name of await readdir(dir, { recursive: true })) {
      if (!name.endsWith('.key')) continue
      const { secret } = JSON.parse(await readFile(join(dir, name), 'utf8')) as { secret: string }
      secrets.push(Buffer.from(secret, 'base64url'))
    }
  }
  expect(secrets).toHaveLength(14)
  // The keys lie in their folder, so this finds what it looks for.
  expect((await bytesBelow(join(a, 'keys'))).includes(formsOf(secrets[0] as Buffer)[3] as Buffer)).toBe(true)
  const elsewhere = Buffer.concat([
    Buffer.from(said),
    await readFile(car),
    await readFile(cert),
    await bytesBelow(space.at('state')),
    await bytesBelow(council),
    await bytesBelow(space.at('shares')),
    ...(await Promise.all([a, b].flatMap((dir) => ['objects', 'log'].map((part) => bytesBelow(join(dir, part)))))),
    ...(await Promise.all([a, b].map((dir) => readFile(join(dir, 'soup.sqlite'))))),
  ])
  for (const secret of secrets) for (const form of formsOf(secret)) expect(elsewhere.includes(form)).toBe(false)
  expect(elsewhere.includes('AGE-SECRET-KEY-')).toBe(false)
})
