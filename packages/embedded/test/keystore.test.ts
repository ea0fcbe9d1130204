import { copyFile, cp, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemRandom } from '@vault/core'
import { afterAll, describe, expect, test } from 'vitest'
import { createVaultKeys, openKey } from '../src/keystore.ts'
import { scratch } from './scratch.ts'

const passphrase = 'correct horse'

// Once for all tests: sealing a key takes a second where other tests run.
const sealed = await scratch()
const made = await createVaultKeys({ dir: sealed.at(), passphrase, random: systemRandom })
afterAll(() => sealed[Symbol.asyncDispose]())

async function sealedKeys(dir: string): Promise<void> {
  await cp(sealed.at('keys'), join(dir, 'keys'), { recursive: true })
}

describe('openKey', () => {
  test('gives the keys that were made: those under a passphrase with it, the log key without', async () => {
    await using space = await scratch()
    await sealedKeys(space.at())
    for (const name of ['identity', 'operators'] as const)
      expect((await openKey({ dir: space.at(), name, passphrase })).key).toBe(made[name].key)
    expect((await openKey({ dir: space.at(), name: 'log' })).key).toBe(made.log.key)
    expect(await readFile(space.at('keys/identity.age'), 'utf8')).not.toContain(made.identity.key)
    expect((await stat(space.at('keys/identity.age'))).mode & 0o777).toBe(0o600)
  })

  test('refuses a wrong passphrase, and none', async () => {
    await using space = await scratch()
    await sealedKeys(space.at())
    for (const wrong of [{ passphrase: 'wrong' }, {}])
      await expect(openKey({ dir: space.at(), name: 'identity', ...wrong })).rejects.toMatchObject({
        code: 'KEY_PASSPHRASE',
      })
  })

  test('tells a damaged file from a wrong passphrase', async () => {
    await using space = await scratch()
    await sealedKeys(space.at())
    const file = space.at('keys/identity.age')
    const text = await readFile(file, 'utf8')
    const lines = text.split('\n')
    const body = lines.length - 3
    const flipped = lines
      .with(
        body,
        (lines[body] as string).replace(/^./, (char) => (char === 'A' ? 'B' : 'A')),
      )
      .join('\n')
    for (const damaged of ['', text.slice(0, 200), flipped, 'not armour']) {
      await writeFile(file, damaged)
      await expect(openKey({ dir: space.at(), name: 'identity', passphrase })).rejects.toMatchObject({
        code: 'KEY_DAMAGED',
        details: { file },
      })
    }
  })

  test('refuses a record that is damaged, missing, or names another key, and quotes no secret', async () => {
    await using space = await scratch()
    await createVaultKeys({ dir: space.at(), passphrase: undefined, random: systemRandom })
    const file = space.at('keys/log.key')
    const record = JSON.parse(await readFile(file, 'utf8')) as { key: string; secret: string }
    const other = JSON.parse(await readFile(space.at('keys/identity.key'), 'utf8')) as { key: string; secret: string }
    const damaged = [
      '',
      'null',
      `{"secret":"${record.secret}`,
      JSON.stringify({ ...record, secret: other.secret }),
      JSON.stringify({ ...record, secret: record.secret.slice(1) }),
      JSON.stringify({ ...record, type: 'rsa' }),
    ]
    for (const text of damaged) {
      await writeFile(file, text)
      const error: unknown = await openKey({ dir: space.at(), name: 'log' }).catch((cause: unknown) => cause)
      expect(error).toMatchObject({ code: 'KEY_DAMAGED', details: { file } })
      expect(JSON.stringify([error, String((error as Error).stack), String((error as Error).cause)])).not.toContain(
        record.secret,
      )
    }
    await rename(file, space.at('away'))
    await expect(openKey({ dir: space.at(), name: 'log' })).rejects.toMatchObject({ code: 'KEY_DAMAGED' })
  })

  test('a swapped file opens as the key that it is: whose it is, the vault says', async () => {
    await using space = await scratch()
    const { operators } = await createVaultKeys({ dir: space.at(), passphrase: undefined, random: systemRandom })
    await copyFile(join(space.at(), 'keys/operators.key'), join(space.at(), 'keys/identity.key'))
    expect((await openKey({ dir: space.at(), name: 'identity' })).key).toBe(operators.key)
  })
})
