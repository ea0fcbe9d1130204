import { cp, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type KeyId, systemRandom } from '@vault/core'
import { afterAll, describe, expect, test } from 'vitest'
import { checkChecksums } from '../src/checksums.ts'
import { createRoleKeys, type KeyRole, openHeldKey, openKey } from '../src/keystore.ts'
import { createVault } from '../src/open.ts'
import { scratch } from './scratch.ts'

const passphrase = 'correct horse'
const roles: readonly KeyRole[] = ['identity', 'operators', 'log']

// Once for all tests: sealing a key takes a second where other tests run.
const sealed = await scratch()
const made = await createRoleKeys({ dir: sealed.at(), roles, passphrase, random: systemRandom })
afterAll(() => sealed[Symbol.asyncDispose]())

/** The file of a key, under the scratch folder. */
const file = (role: KeyRole, { key }: { key: string }, kind: 'key' | 'age') =>
  `keys/${role}-${key.replace('ed25519:', '')}.${kind}`

async function sealedKeys(dir: string): Promise<void> {
  await cp(sealed.at('keys'), join(dir, 'keys'), { recursive: true })
}

describe('openKey', () => {
  test('gives the keys that were made: those under a passphrase with it, the log key without', async () => {
    await using space = await scratch()
    await sealedKeys(space.at())
    for (const role of ['identity', 'operators'] as const)
      expect((await openKey({ dir: space.at(), role, key: made[role].key, passphrase })).key).toBe(made[role].key)
    expect((await openKey({ dir: space.at(), role: 'log', key: made.log.key })).key).toBe(made.log.key)
    expect(await readFile(space.at(file('identity', made.identity, 'age')), 'utf8')).not.toContain(made.identity.key)
    expect((await stat(space.at(file('identity', made.identity, 'age')))).mode & 0o777).toBe(0o600)
  })

  test('refuses a wrong passphrase, and none', async () => {
    await using space = await scratch()
    await sealedKeys(space.at())
    for (const wrong of [{ passphrase: 'wrong' }, {}])
      await expect(
        openKey({ dir: space.at(), role: 'identity', key: made.identity.key, ...wrong }),
      ).rejects.toMatchObject({
        code: 'KEY_PASSPHRASE',
      })
  })

  test('tells a damaged file from a wrong passphrase', async () => {
    await using space = await scratch()
    await sealedKeys(space.at())
    const path = space.at(file('identity', made.identity, 'age'))
    const text = await readFile(path, 'utf8')
    const lines = text.split('\n')
    const body = lines.length - 3
    const flipped = lines
      .with(
        body,
        (lines[body] as string).replace(/^./, (char) => (char === 'A' ? 'B' : 'A')),
      )
      .join('\n')
    for (const damaged of ['', text.slice(0, 200), flipped, 'not armour']) {
      await writeFile(path, damaged)
      await expect(
        openKey({ dir: space.at(), role: 'identity', key: made.identity.key, passphrase }),
      ).rejects.toMatchObject({
        code: 'KEY_DAMAGED',
        details: { file: path },
      })
    }
  })

  test('refuses a record that is damaged, missing, or names another key, and quotes no secret', async () => {
    await using space = await scratch()
    const plain = await createRoleKeys({ dir: space.at(), roles, passphrase: undefined, random: systemRandom })
    const path = space.at(file('log', plain.log, 'key'))
    const record = JSON.parse(await readFile(path, 'utf8')) as { key: string; secret: string }
    const identity = await readFile(space.at(file('identity', plain.identity, 'key')), 'utf8')
    const other = JSON.parse(identity) as { key: string; secret: string }
    const damaged = [
      '',
      'null',
      `{"secret":"${record.secret}`,
      JSON.stringify({ ...record, secret: other.secret }),
      JSON.stringify({ ...record, secret: record.secret.slice(1) }),
      JSON.stringify({ ...record, type: 'rsa' }),
      identity,
    ]
    const log = { dir: space.at(), role: 'log' as const, key: plain.log.key }
    for (const text of damaged) {
      await writeFile(path, text)
      const error: unknown = await openKey(log).catch((cause: unknown) => cause)
      expect(error).toMatchObject({ code: 'KEY_DAMAGED', details: { file: path } })
      expect(JSON.stringify([error, String((error as Error).stack), String((error as Error).cause)])).not.toContain(
        record.secret,
      )
    }
    await rename(path, space.at('away'))
    await expect(openKey(log)).rejects.toMatchObject({ code: 'KEY_DAMAGED' })
  })

  test('gives a key only in its role, and never reads outside the folder', async () => {
    await using space = await scratch()
    const { log } = await createRoleKeys({ dir: space.at(), roles, passphrase: undefined, random: systemRandom })
    await expect(openKey({ dir: space.at(), role: 'identity', key: log.key })).rejects.toMatchObject({
      code: 'KEY_DAMAGED',
    })
    await expect(openKey({ dir: space.at(), role: 'log', key: 'ed25519:z/../../away' })).rejects.toMatchObject({
      code: 'KEY_ID_INVALID',
    })
  })
})

describe('createRoleKeys', () => {
  test('adds keys to those of a place, under its checksums, and vouches for nothing that was damaged', async () => {
    await using space = await scratch()
    await createVault(space.at(), { passphrase: undefined })
    const [first] = (await readdir(space.at('keys'))).filter((name) => name.startsWith('identity-'))
    await writeFile(space.at('keys', first as string), 'changed')
    await writeFile(space.at('keys/log-interrupted.key'), 'its maker died')
    const added = await createRoleKeys({
      dir: space.at(),
      roles: ['identity', 'log'],
      passphrase: undefined,
      random: systemRandom,
    })
    expect(Object.keys(added)).toEqual(['identity', 'log'])
    for (const role of ['identity', 'log'] as const)
      expect((await openKey({ dir: space.at(), role, key: added[role].key })).key).toBe(added[role].key)
    expect((await checkChecksums(space.at())).map(({ subject }) => subject)).toEqual([`keys/${first}`])
  })

  test('names the key of a place in its description', async () => {
    await using space = await scratch()
    await createVault(space.at(), { passphrase: undefined })
    const { key } = JSON.parse(await readFile(space.at('vault.json'), 'utf8')) as { key: KeyId }
    expect((await openKey({ dir: space.at(), role: 'place', key })).key).toBe(key)
  })
})

describe('openHeldKey', () => {
  test('gives the first key that is held, and names every file where none is', async () => {
    await using space = await scratch()
    const keys: KeyId[] = []
    for (let i = 0; i < 3; i++) {
      const random = systemRandom
      keys.push((await createRoleKeys({ dir: space.at(), roles: ['log'], passphrase: undefined, random })).log.key)
    }
    const log = { dir: space.at(), role: 'log' as const, keys }
    for (const key of keys) {
      expect((await openHeldKey(log)).key).toBe(key)
      await rename(space.at(file('log', { key }, 'key')), space.at('away'))
    }
    await expect(openHeldKey(log)).rejects.toMatchObject({
      code: 'KEY_DAMAGED',
      details: { files: keys.map((key) => space.at(file('log', { key }, 'key'))) },
    })
  })
})
