import { chmod, lstat, mkdir, readdir, readFile, readlink, symlink, truncate, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { json, run, scratch } from './harness.ts'

async function vaultWith(
  space: Awaited<ReturnType<typeof scratch>>,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const vault = space.at('vault')
  await json('vaultctl', ['init', vault])
  for (const [name, content] of Object.entries(files)) {
    await mkdir(space.at('tree', name, '..'), { recursive: true })
    await writeFile(space.at('tree', name), content)
  }
  await json('vaultctl', ['put', vault, '.'], 0, { cwd: space.at('tree') })
  return vault
}

describe('vaultctl', () => {
  test('puts, lists, finds, gets, removes and verifies', async () => {
    await using space = await scratch()
    const vault = space.at('vault')
    const made = await json('vaultctl', ['init', vault])
    expect(made).toMatchObject({ ok: true, dir: vault, passphrase: false })

    await mkdir(space.at('in/photos'), { recursive: true })
    await writeFile(space.at('in/notes.txt'), 'some notes\n')
    await writeFile(space.at('in/photos/a.bin'), Buffer.alloc(3_000_000, 'abc'))
    await writeFile(space.at('in/photos/run.sh'), '#!/bin/sh\n')
    await chmod(space.at('in/photos/run.sh'), 0o755)
    await symlink('a.bin', space.at('in/photos/link'))

    const put = await json('vaultctl', ['put', vault, 'in'], 0, { cwd: space.dir })
    // Notes, script and link are one block each; the photo is three and a manifest.
    expect(put).toMatchObject({ ok: true, files: 4, objects: 7, added: 7 })
    expect((await json('vaultctl', ['put', vault, 'in'], 0, { cwd: space.dir })).added).toBe(0)

    const { files } = await json<{ files: { name: string; size: number; mode: number }[] }>('vaultctl', ['ls', vault])
    expect(files.map((file) => file.name)).toEqual([
      'in/notes.txt',
      'in/photos/a.bin',
      'in/photos/link',
      'in/photos/run.sh',
    ])
    expect(files[1]).toMatchObject({ size: 3_000_000, mode: 0o100644 })

    const found = await json<{ entries: { key: string }[] }>('vaultctl', [
      'find',
      vault,
      '*photos*',
      '-w',
      'size>=10',
      '--order',
      'size:desc',
    ])
    expect(found.entries.map((entry) => entry.key)).toEqual(['path:in/photos/a.bin', 'path:in/photos/run.sh'])

    expect((await run('vaultctl', ['get', vault, 'in/notes.txt'])).stdout).toBe('some notes\n')
    await json('vaultctl', ['get', vault, 'in', '-o', space.at('out')])
    expect(await readFile(space.at('out/photos/a.bin'))).toEqual(await readFile(space.at('in/photos/a.bin')))
    expect((await lstat(space.at('out/photos/run.sh'))).mode & 0o111).toBe(0o111)
    expect(await readlink(space.at('out/photos/link'))).toBe('a.bin')
    expect(
      (await json<{ error: { code: string } }>('vaultctl', ['get', vault, 'in', '-o', space.at('out')], 1)).error.code,
    ).toBe('FILE_EXISTS')

    const before = await json('vaultctl', ['root', vault])
    expect(before).toMatchObject({ objects: put.objects })
    expect(before.objects_root).toMatch(/^[0-9a-f]{64}$/)
    // What is read back are the objects, and the list of them that the log's entry names.
    expect(await json('vaultctl', ['verify', vault])).toMatchObject({
      ok: true,
      damaged: [],
      objects: put.objects,
      checked: 8,
      entries: 3,
    })
    expect(await json('vaultctl', ['verify', vault, '--sample', '2'])).toMatchObject({ ok: true, checked: 2 })

    expect(await json('vaultctl', ['rm', vault, '-r', 'in/photos', '--dry-run'])).toMatchObject({ removed: 3 })
    expect(await json('vaultctl', ['root', vault])).toEqual(before)
    expect(await json('vaultctl', ['rm', vault, '-r', 'in/photos'])).toMatchObject({ removed: 3 })
    expect(await json('vaultctl', ['status', vault])).toMatchObject({
      state: 'active',
      objects: 1,
      entries: 1,
      bytes: 11,
    })
  })

  test('names files by their path as given, without a leading / or ..', async () => {
    await using space = await scratch()
    await json('vaultctl', ['init', space.at('vault')])
    await mkdir(space.at('a/b'), { recursive: true })
    await writeFile(space.at('a/x'), 'x')
    await json('vaultctl', ['put', '../../vault', '../x'], 0, { cwd: space.at('a/b') })
    await json('vaultctl', ['put', space.at('vault'), space.at('a/x')])
    const { files } = await json<{ files: { name: string }[] }>('vaultctl', ['ls', space.at('vault')])
    expect(files.map((file) => file.name).sort()).toEqual([space.at('a/x').slice(1), 'x'].sort())
  })

  test('two names may hold equal bytes, and removing one leaves the other', async () => {
    await using space = await scratch()
    const vault = await vaultWith(space, { one: 'same', 'folder/two': 'same' })
    expect(await json('vaultctl', ['status', vault])).toMatchObject({ objects: 1, entries: 2 })
    await json('vaultctl', ['rm', vault, 'one'])
    expect(await json('vaultctl', ['status', vault])).toMatchObject({ objects: 1, entries: 1 })
    expect((await run('vaultctl', ['get', vault, 'folder/two'])).stdout).toBe('same')
    expect(await json('vaultctl', ['verify', vault])).toMatchObject({ ok: true })
  })

  test('equal content gives equal roots, however it came in', async () => {
    await using one = await scratch()
    await using two = await scratch()
    const first = await vaultWith(one, { a: '1', 'b/c': '2', d: '3' })
    const second = await vaultWith(two, { d: '3', a: '0' })
    await writeFile(two.at('tree/a'), '1')
    await mkdir(two.at('tree/b'))
    await writeFile(two.at('tree/b/c'), '2')
    await json('vaultctl', ['put', second, 'b', 'a'], 0, { cwd: two.at('tree') })
    const [a, b] = [await json('vaultctl', ['root', first]), await json('vaultctl', ['root', second])]
    expect([b.objects_root, b.soup_root]).toEqual([a.objects_root, a.soup_root])
  })

  test('works in .vault inside a work tree, and does not put the vault into itself', async () => {
    await using space = await scratch()
    await writeFile(space.at('file'), 'x')
    expect((await json<{ error: { code: string } }>('vaultctl', ['init', space.dir], 1)).error.code).toBe(
      'VAULT_EXISTS',
    )
    await json('vaultctl', ['init', '--work-tree', space.dir])
    expect(await json('vaultctl', ['put', space.dir, '.'], 0, { cwd: space.dir })).toMatchObject({
      files: 1,
      skipped: 1,
    })
    expect(await json('vaultctl', ['verify', space.dir])).toMatchObject({ ok: true })
  })

  test('says what a dry run would put, and changes nothing', async () => {
    await using space = await scratch()
    const vault = await vaultWith(space, { a: '1' })
    const before = await json('vaultctl', ['status', vault])
    await writeFile(space.at('tree/b'), '22')
    expect(await json('vaultctl', ['put', '--dry-run', vault, '.'], 0, { cwd: space.at('tree') })).toMatchObject({
      files: 2,
      added: 1,
      bytes: 3,
      dry_run: true,
    })
    expect(await json('vaultctl', ['status', vault])).toEqual(before)
  })

  test('keeps identity keys under a passphrase where one is given', async () => {
    await using space = await scratch()
    await writeFile(space.at('passphrase'), 'correct horse\n')
    expect(
      await json('vaultctl', ['init', space.at('vault'), '--passphrase-file', space.at('passphrase')]),
    ).toMatchObject({ passphrase: true })
    const keys = await readdir(space.at('vault/keys'))
    expect(keys.map((name) => name.replace(/-z6Mk\w+/, '')).sort()).toEqual([
      'identity.age',
      'log.key',
      'operators.age',
      'place.key',
    ])
    for (const key of keys) expect((await lstat(space.at('vault/keys', key))).mode & 0o077).toBe(0)
    expect(await json('vaultctl', ['verify', space.at('vault')])).toMatchObject({ ok: true })
  })

  test('refuses what it does not understand with exit code 2, in words and in JSON', async () => {
    await using space = await scratch()
    const vault = await vaultWith(space, { 'folder/a': '1' })
    for (const args of [
      [],
      ['nonsense'],
      ['put', vault],
      ['verify', vault, '--sample', '0'],
      ['get', vault, 'folder'],
      ['find', vault, '-w', '??'],
      ['find', vault, 'a'.repeat(2000)],
      ['find', vault, '-w', `key~${'a'.repeat(2000)}`],
      ['find', vault, '--order', 'a..b'],
      ['init', space.at('new'), '--no-passphrase', '--passphrase-file', space.at('tree/folder/a')],
    ]) {
      expect((await run('vaultctl', args)).code, args.join(' ')).toBe(2)
    }
    expect(await json('vaultctl', ['rm', vault, 'folder'], 2)).toMatchObject({ ok: false, error: { code: 'USAGE' } })
    expect(await json('vaultctl', ['put'], 2)).toMatchObject({ ok: false })
  })

  test('names what is not there', async () => {
    await using space = await scratch()
    const vault = await vaultWith(space, { a: '1' })
    expect(await json('vaultctl', ['get', vault, 'b', '-o', space.at('b')], 1)).toMatchObject({
      error: { code: 'VAULT_NAME_UNKNOWN' },
    })
    expect(await json('vaultctl', ['put', vault, space.at('absent')], 1)).toMatchObject({
      error: { code: 'FILE_UNREADABLE' },
    })
    expect(await json('vaultctl', ['root', space.at('tree')], 1)).toMatchObject({ error: { code: 'VAULT_NOT_FOUND' } })
  })

  test('lists a folder, a file, or nothing, and names what is not there', async () => {
    await using space = await scratch()
    const vault = await vaultWith(space, { 'a.txt': '1', 'b/c': '2' })
    const names = async (...args: string[]) =>
      (await json<{ files: { name: string }[] }>('vaultctl', ['ls', vault, ...args])).files.map(({ name }) => name)
    expect(await names('a.txt')).toEqual(['a.txt'])
    expect(await names('b')).toEqual(['b/c'])
    expect(await names('.')).toEqual(['a.txt', 'b/c'])
    expect((await run('vaultctl', ['ls', vault, 'a.txt'])).stdout).toBe('a.txt\n')
    expect(await json('vaultctl', ['ls', vault, 'nosuch'], 1)).toMatchObject({ error: { code: 'VAULT_NAME_UNKNOWN' } })
  })

  test('says that an empty vault is empty', async () => {
    await using space = await scratch()
    const vault = space.at('vault')
    await json('vaultctl', ['init', vault])
    for (const args of [[], ['-o', space.at('out')]]) {
      const { code, stdout } = await run('vaultctl', ['get', vault, '.', ...args])
      expect([code, stdout]).toEqual([0, `${vault} is empty: there is nothing to get.\n`])
    }
    expect(await json('vaultctl', ['get', vault, '.', '-o', space.at('out')])).toMatchObject({ files: 0, bytes: 0 })
    expect(await json('vaultctl', ['ls', vault])).toEqual({ ok: true, files: [], count: 0 })
  })

  test('keeps a 3 GB sparse file whole, in bounded memory', { timeout: 180_000 }, async () => {
    await using space = await scratch()
    const vault = space.at('vault')
    await json('vaultctl', ['init', vault])
    await writeFile(space.at('sparse'), 'begin')
    await truncate(space.at('sparse'), 3 * 1024 ** 3)
    const put = await run('vaultctl', ['put', vault, 'sparse', '--json'], { cwd: space.dir })
    expect(put.code, put.stderr).toBe(0)
    expect(put.peakMiB).toBeLessThan(400)
    const { files } = await json<{ files: { size: number }[] }>('vaultctl', ['ls', vault])
    expect(files[0]?.size).toBe(3 * 1024 ** 3)
    // The first block, a block of zeros, three manifests of 1,024 parts of which two are equal, and their root.
    expect(await json('vaultctl', ['status', vault])).toMatchObject({ objects: 5 })
    const got = await run('vaultctl', ['get', vault, 'sparse', '-o', space.at('back')])
    expect(got.code, got.stderr).toBe(0)
    expect(got.peakMiB).toBeLessThan(400)
    expect((await lstat(space.at('back'))).size).toBe(3 * 1024 ** 3)
  })
})
