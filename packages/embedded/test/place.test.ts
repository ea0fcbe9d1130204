import { spawn } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkChecksums } from '../src/checksums.ts'
import { createPlace } from '../src/create-place.ts'
import { createVault, openTarget, openVault, seatOf } from '../src/index.ts'
import { findPlace } from '../src/place.ts'
import { scratch, snapshot } from './scratch.ts'

const plain = { passphrase: undefined }

describe('making a place', () => {
  test('where there is one without a vault, nobody says that it has one', async () => {
    await using space = await scratch()
    await createPlace(space.at('a'))
    await expect(createVault(space.at('a'), plain)).rejects.toMatchObject({
      code: 'VAULT_EXISTS',
      message: expect.stringContaining('it is a place for vaults already'),
    })
    await expect(openVault(space.at('a'))).rejects.toMatchObject({
      code: 'VAULT_NOT_FOUND',
      message: expect.stringContaining('"vaultctl init"'),
    })
  })

  test.each([['absent'], ['empty']])(
    'of several that make it in an %s folder, one does, and nothing is lost',
    async (state) => {
      await using space = await scratch()
      for (let round = 0; round < 5; round++) {
        const dir = space.at(`${round}`)
        if (state === 'empty') await mkdir(dir)
        const outcomes = await Promise.allSettled([
          createVault(dir, plain),
          createVault(dir, plain),
          createVault(dir, plain),
        ])
        const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
        expect(made).toHaveLength(1)
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'VAULT_EXISTS' })
        }
        await using vault = await openVault(dir)
        expect([vault.id]).toEqual(made)
        expect(await checkChecksums(dir)).toEqual([])
        expect((await readdir(dir)).filter((name) => name.startsWith('.init-'))).toEqual([])
      }
    },
  )

  test('both of two that open a new target get it', async () => {
    await using space = await scratch()
    await using first = await openTarget(space.at('new'))
    const both = await Promise.all([openTarget(space.at('other')), openTarget(space.at('other'))])
    for (const target of both) await target[Symbol.asyncDispose]()
    expect(first.label).toBe(space.at('new'))
  })

  test('a killed process leaves a folder in which a vault can be made', async () => {
    await using space = await scratch()
    const program = `import { createPlace } from ${JSON.stringify(join(import.meta.dirname, '../src/create-place.ts'))}
      await createPlace(process.argv[1], async () => process.kill(process.pid, 'SIGKILL'))`
    const args = ['--conditions=@vault/source', '--input-type=module', '-e', program, space.at('v')]
    const child = spawn(process.execPath, args, { stdio: 'ignore' })
    expect(await new Promise((done) => child.once('close', (_, signal) => done(signal)))).toBe('SIGKILL')
    const [draft] = await readdir(space.at('v'))
    expect(draft).toMatch(/^\.init-[0-9a-f]{16}$/)
    expect(await findPlace(space.at('v'))).toBeUndefined()
    await createVault(space.at('v'), plain)
    await using vault = await openVault(space.at('v'))
    expect((await vault.status()).objects).toBe(0)
    expect(await readdir(space.at('v'))).toContain(draft)
  })

  test('one whose maker died as it was moved in is finished by the next, however far it had come', async () => {
    await using space = await scratch()
    const children = ['keys', 'objects', 'soup.sqlite', 'SHA256SUMS', 'vault.json']
    for (let moved = 1; moved < children.length; moved++) {
      const dir = space.at(`${moved}`)
      const id = await createVault(dir, plain)
      const whole = await snapshot(dir)
      await mkdir(join(dir, '.init-0123456789abcdef'))
      for (const child of children.slice(moved))
        await rename(join(dir, child), join(dir, '.init-0123456789abcdef', child))
      expect(await findPlace(dir)).toBeUndefined()
      await expect(createVault(dir, plain)).rejects.toMatchObject({ code: 'VAULT_EXISTS' })
      expect(await snapshot(dir)).toEqual(whole)
      await using vault = await openVault(dir)
      expect(vault.id).toBe(id)
    }
  })

  test('what fails leaves no draft', async () => {
    await using space = await scratch()
    const failure = new Error('no')
    await expect(createPlace(space.at('v'), () => Promise.reject(failure))).rejects.toBe(failure)
    expect(await readdir(space.at('v'))).toEqual([])
  })

  test('a folder with other files is refused, and so is one that has lost its vault.json', async () => {
    await using space = await scratch()
    await mkdir(space.at('other'))
    await writeFile(space.at('other/file'), 'mine')
    await expect(createVault(space.at('other'), plain)).rejects.toMatchObject({ code: 'VAULT_EXISTS' })
    await createVault(space.at('lost'), plain)
    await rename(space.at('lost/vault.json'), space.at('away'))
    const before = await snapshot(space.at('lost'))
    await expect(createVault(space.at('lost'), plain)).rejects.toMatchObject({ code: 'VAULT_EXISTS' })
    expect(await snapshot(space.at('lost'))).toEqual(before)
  })

  test('others can read nothing of it, whatever the mask and the mode of the folder', async () => {
    await using space = await scratch()
    const mask = process.umask(0)
    try {
      await createVault(space.at('new'), plain)
      await mkdir(space.at('open'), { mode: 0o777 })
      await createVault(space.at('open'), plain)
      await using vault = await openVault(space.at('open'))
      await vault.put(new TextEncoder().encode('private'))
      for (const name of ['soup.sqlite', 'soup.sqlite-wal', 'soup.sqlite-shm', 'vault.json', 'SHA256SUMS'])
        expect([name, (await stat(space.at('open', name))).mode & 0o777]).toEqual([name, 0o600])
      for (const name of ['objects', 'keys'])
        expect([name, (await stat(space.at('open', name))).mode & 0o777]).toEqual([name, 0o700])
      expect((await stat(space.at('new'))).mode & 0o777).toBe(0o700)
    } finally {
      process.umask(mask)
    }
  })
})

describe('finding a place', () => {
  test("another program's vault.json does not hide a vault", async () => {
    await using space = await scratch()
    await mkdir(space.at('tree'))
    await createVault(space.at('tree/.vault'), plain)
    for (const foreign of ['{"format":"secrets"}', 'null', 'not JSON']) {
      await writeFile(space.at('tree/vault.json'), foreign)
      expect(await findPlace(space.at('tree'))).toBe(space.at('tree/.vault'))
    }
  })

  test('a damaged vault.json is named, and not taken for none', async () => {
    await using space = await scratch()
    for (const dir of [space.at('plain'), space.at('tree/.vault')]) {
      await createVault(dir, plain)
      const text = await readFile(join(dir, 'vault.json'), 'utf8')
      for (const damaged of [
        '',
        text.slice(1),
        text.replace('vault-place', 'vault-plAce'),
        text.replace('"version": 1', '"version": 2'),
      ]) {
        await writeFile(join(dir, 'vault.json'), damaged)
        await expect(openVault(dir.replace(/\/\.vault$/, ''))).rejects.toMatchObject({ code: 'VAULT_FORMAT' })
      }
    }
  })
})

describe('checksums', () => {
  test('what is missing, changed, unlisted or not to be read is told apart', async () => {
    await using space = await scratch()
    const dir = space.at('v')
    await createVault(dir, plain)
    const names = await readdir(join(dir, 'keys'))
    const keyOf = (role: string) => `keys/${names.find((name) => name.startsWith(`${role}-`))}`
    await writeFile(join(dir, 'keys/extra.key'), '')
    await rename(join(dir, keyOf('log')), space.at('log.key'))
    await writeFile(join(dir, keyOf('place')), 'changed')
    const found = Object.fromEntries((await checkChecksums(dir)).map(({ subject, message }) => [subject, message]))
    expect(found).toEqual({
      'keys/extra.key': expect.stringContaining('not listed'),
      [keyOf('log')]: expect.stringContaining('missing'),
      [keyOf('place')]: expect.stringContaining('SHA-256'),
    })
    await rename(join(dir, 'keys'), space.at('keys'))
    expect(await checkChecksums(dir)).toContainEqual(expect.objectContaining({ subject: 'keys' }))
  })

  test('what a process that made keys left as it died harms nothing', async () => {
    await using space = await scratch()
    const dir = space.at('v')
    await createVault(dir, plain)
    const [name] = await readdir(join(dir, 'keys'))
    await writeFile(join(dir, `keys/${name}.4711.tmp`), 'half a k')
    expect(await checkChecksums(dir)).toEqual([])
    await cp(join(dir, `keys/${name}`), join(dir, 'keys/log-unlisted.key'))
    expect(await checkChecksums(dir)).toMatchObject([{ subject: 'keys/log-unlisted.key' }])
    {
      await using vault = await openVault(dir)
      await seatOf(vault.place)
    }
    expect(await checkChecksums(dir)).toEqual([])
  })
})

describe('the room that a place keeps for a full disk', () => {
  test('is kept again by the next who opens it to write, where a reclaim gave it away and made none', async () => {
    await using space = await scratch()
    const dir = space.at('v')
    await createVault(dir, plain)
    const kept = await stat(join(dir, 'reserve'))
    await rm(join(dir, 'reserve'))
    await (await openVault(dir, { mode: 'read' }))[Symbol.asyncDispose]()
    expect(await readdir(dir)).not.toContain('reserve')
    await (await openVault(dir))[Symbol.asyncDispose]()
    const again = await stat(join(dir, 'reserve'))
    expect(again.size).toBe(kept.size)
    await (await openVault(dir))[Symbol.asyncDispose]()
    expect((await stat(join(dir, 'reserve'))).ino).toBe(again.ino)
  })
})
