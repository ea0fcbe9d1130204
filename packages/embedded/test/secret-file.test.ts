import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { systemRandom, utf8 } from '@vault/core'
import { armor, Encrypter, generateX25519Identity } from 'age-encryption'
import { expect, test } from 'vitest'
import { createVault, openVault } from '../src/index.ts'
import { encodeKeyFile, keyRecord, RECORD_LENGTH } from '../src/key-file.ts'
import { encodeKeyShare } from '../src/key-share.ts'
import { secretIn } from '../src/secret-file.ts'
import { scratch } from './scratch.ts'

const secret = systemRandom(32)

/** Files that are private keys. */
async function secrets(): Promise<readonly string[]> {
  const pem = (type: 'pkcs8' | 'pkcs1', cipher = {}) =>
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type, format: 'pem', ...cipher }) as string
  const share = { split: '0'.repeat(32), threshold: 2, shares: 2, index: 1, digests: [], share: systemRandom(33) }
  return [
    pem('pkcs8'),
    pem('pkcs1'),
    pem('pkcs8', { cipher: 'aes-256-cbc', passphrase: 'x' }),
    `Bag Attributes\r\n${pem('pkcs8').replaceAll('\n', '\r\n')}`,
    keyRecord(secret),
    (await encodeKeyFile(secret, 'passphrase')).text,
    encodeKeyShare({ ...share, key: 'ed25519:z' }),
    `# created: today\n${await generateX25519Identity()}\n`,
  ]
}

test('private keys are known by their content, whatever their name', async () => {
  expect(keyRecord(secret)).toHaveLength(RECORD_LENGTH)
  for (const text of await secrets()) expect(await secretIn(utf8(text)), text.slice(0, 60)).toBeTypeOf('string')
})

test('what only speaks of keys, is public, or is sealed for another reason, is content', async () => {
  const encrypter = new Encrypter()
  encrypter.setPassphrase('passphrase')
  encrypter.setScryptWorkFactor(1)
  const { publicKey } = generateKeyPairSync('ed25519')
  for (const text of [
    '',
    'A key begins with\n-----BEGIN PRIVATE KEY-----\nand ends with\n-----END PRIVATE KEY-----\n',
    publicKey.export({ type: 'spki', format: 'pem' }) as string,
    armor.encode(await encrypter.encrypt('a letter')),
    '{"type":"ed25519","key":"ed25519:z6Mk"}',
    `-----BEGIN PRIVATE KEY-----\n${' '.repeat(60_000)}`,
  ])
    expect(await secretIn(utf8(text)), text.slice(0, 60)).toBeUndefined()
  expect(await secretIn(Uint8Array.of(0xff, 0xfe))).toBeUndefined()
})

test('a vault takes a private key only where that is asked for, in a file of several blocks too', async () => {
  await using space = await scratch()
  const content = { hash: 'blake3', chunker: { kind: 'fixed', size: 4096 } } as const
  await createVault(space.at('vault'), { passphrase: undefined, content })
  await using vault = await openVault(space.at('vault'))
  const put = async (options: { allowSecrets?: boolean }) => {
    for await (const _ of vault.putFiles([space.at('key')], options));
  }
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  for (const text of [pem, `${'comment\n'.repeat(1000)}${pem}`]) {
    await writeFile(space.at('key'), text)
    await expect(put({})).rejects.toMatchObject({ code: 'FILE_SECRET', details: { path: space.at('key') } })
    expect((await vault.status()).entries).toBe(0)
  }
  await put({ allowSecrets: true })
  expect((await vault.status()).entries).toBe(1)
})

test('a key that ssh-keygen made is one', async () => {
  await using space = await scratch()
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', space.at('id')])
  expect(await secretIn(await readFile(space.at('id')))).toBeTypeOf('string')
  expect(await secretIn(await readFile(space.at('id.pub')))).toBeUndefined()
})
