import { spawn } from 'node:child_process'
import { chmod, lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { contentId, utf8 } from '@vault/core'
import { expect, test } from 'vitest'
import { json, run, scratch } from './harness.ts'

async function space() {
  const made = await scratch()
  for (const name of ['one', 'two']) await json('vaultctl', ['init', made.at(name)])
  await mkdir(made.at('in/sub'), { recursive: true })
  await writeFile(made.at('in/note'), 'some text')
  await writeFile(made.at('in/sub/large'), Buffer.alloc(2_500_000, 'large'))
  await writeFile(made.at('in/run'), '#!/bin/sh\n')
  await chmod(made.at('in/run'), 0o755)
  await json('vaultctl', ['put', made.at('one'), 'in'], 0, { cwd: made.dir })
  return made
}

async function names(vault: string): Promise<readonly string[]> {
  return (await json<{ files: { name: string }[] }>('vaultctl', ['ls', vault])).files.map(({ name }) => name)
}

test('a folder goes through a CAR file into another vault, under a name', async () => {
  await using at = await space()
  const exported = await json<{ roots: { id: string }[]; bytes: number }>('vaultctl', [
    'export',
    at.at('one'),
    'in',
    '-o',
    at.at('in.car'),
  ])
  expect(exported).toMatchObject({ ok: true, roots: [{ name: 'in', type: 'folder' }], output: at.at('in.car') })
  expect((await lstat(at.at('in.car'))).size).toBe(exported.bytes)
  const id = exported.roots[0]?.id as string
  expect(
    await json('vaultctl', ['import', at.at('two'), at.at('in.car'), '--name', 'copy', '--root', id]),
  ).toMatchObject({
    ok: true,
    roots: [{ id, type: 'folder', name: 'copy' }],
    files: 3,
    objects: 8,
    added: 8,
    unreachable: 0,
  })
  expect(await names(at.at('two'))).toEqual(['copy/note', 'copy/run', 'copy/sub/large'])
  await json('vaultctl', ['get', at.at('two'), 'copy', '-o', at.at('out')])
  expect(await readFile(at.at('out/sub/large'))).toEqual(await readFile(at.at('in/sub/large')))
  expect((await lstat(at.at('out/run'))).mode & 0o111).toBe(0o111)
  expect(await json('vaultctl', ['verify', at.at('two')])).toMatchObject({ ok: true })
  // Again: nothing is new, and a file that is there stays.
  expect(await json('vaultctl', ['import', at.at('two'), at.at('in.car'), '--name', 'copy'])).toMatchObject({
    added: 0,
  })
  expect(await json('vaultctl', ['export', at.at('one'), 'in', '-o', at.at('in.car')], 1)).toMatchObject({
    error: { code: 'FILE_EXISTS' },
  })
  await json('vaultctl', ['export', at.at('one'), 'in', '-o', at.at('in.car'), '--force'])
})

test('a single file gets the name given, or its id', async () => {
  await using at = await space()
  const { stdout, code } = await run('vaultctl', ['export', at.at('one'), 'in/note', '-o', at.at('note.car')])
  expect(code).toBe(0)
  const id = /b[a-z2-7]{58}/.exec(stdout)?.[0] as string
  await json('vaultctl', ['import', at.at('two'), at.at('note.car')])
  await json('vaultctl', ['import', at.at('two'), at.at('note.car'), '--name', './a/note.txt'])
  expect(await names(at.at('two'))).toEqual(['a/note.txt', id])
  // An id is exported as well as a name.
  await json('vaultctl', ['export', at.at('one'), id, '-o', at.at('id.car')])
  expect(await readFile(at.at('id.car'))).toEqual(await readFile(at.at('note.car')))
})

test('a CAR is piped from one vault into another', async () => {
  await using at = await space()
  const bin = join(import.meta.dirname, '../bin/vaultctl.mjs')
  const out = spawn(process.execPath, [bin, 'export', at.at('one'), '.'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const into = spawn(process.execPath, [bin, 'import', at.at('two'), '-', '-q'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  out.stdout.pipe(into.stdin)
  const code = await new Promise((resolve) => into.once('close', resolve))
  expect(code).toBe(0)
  expect(await names(at.at('two'))).toEqual(['in/note', 'in/run', 'in/sub/large'])
})

test('what is damaged, cut short, foreign or in the way is refused with exit code 1, and changes nothing', async () => {
  await using at = await space()
  await json('vaultctl', ['export', at.at('one'), 'in', '-o', at.at('in.car')])
  const car = await readFile(at.at('in.car'))
  const before = await json('vaultctl', ['root', at.at('two')])
  const codeOf = async (bytes: Uint8Array, ...args: string[]) => {
    await writeFile(at.at('bad.car'), bytes)
    return (await json<{ error: { code: string } }>('vaultctl', ['import', at.at('two'), at.at('bad.car'), ...args], 1))
      .error.code
  }
  const changed = Buffer.from(car)
  changed[car.length - 5]! ^= 1
  expect(await codeOf(changed)).toBe('TRANSFER_CAR_MISMATCH')
  expect(await codeOf(car.subarray(0, -5))).toBe('TRANSFER_CAR_INVALID')
  expect(await codeOf(Buffer.from('no CAR at all'))).toBe('TRANSFER_CAR_INVALID')
  expect(await codeOf(car, '--root', contentId(utf8('absent')))).toBe('TRANSFER_CAR_INCOMPLETE')
  expect(await json('vaultctl', ['import', at.at('two'), at.at('absent.car')], 1)).toMatchObject({
    error: { code: 'FILE_UNREADABLE' },
  })
  expect(await json('vaultctl', ['import', at.at('two'), at.at('in.car'), '--root', 'nonsense'], 2)).toMatchObject({
    error: { code: 'USAGE' },
  })
  expect(await json('vaultctl', ['root', at.at('two')])).toEqual(before)
  await json('vaultctl', ['put', at.at('two'), 'note'], 0, { cwd: at.at('in/sub', '..') })
  await writeFile(at.at('in/note'), 'other text')
  await json('vaultctl', ['put', at.at('two'), 'note'], 0, { cwd: at.at('in') })
  expect(await codeOf(car)).toBe('VAULT_NAME_TAKEN')
  expect(await json('vaultctl', ['import', at.at('two'), at.at('in.car'), '--force'])).toMatchObject({ files: 3 })
  expect((await run('vaultctl', ['get', at.at('two'), 'note'])).stdout).toBe('some text')
})

test('export asks for a place with --json, and names what is not there', async () => {
  await using at = await space()
  expect(await json('vaultctl', ['export', at.at('one'), 'in'], 2)).toMatchObject({ error: { code: 'USAGE' } })
  expect(await json('vaultctl', ['export', at.at('one'), 'absent', '-o', at.at('x')], 1)).toMatchObject({
    error: { code: 'VAULT_NAME_UNKNOWN' },
  })
  expect(await readdir(at.dir)).not.toContain('x')
})

test('large files go out and in in bounded memory', { timeout: 180_000 }, async () => {
  await using at = await space()
  // Every block is another.
  const bytes = Buffer.alloc(600 * 1024 * 1024)
  for (let i = 0; i < bytes.length; i += 1024 * 1024) bytes.writeUInt32LE(i, i)
  await writeFile(at.at('huge'), bytes)
  await json('vaultctl', ['put', at.at('one'), 'huge'], 0, { cwd: at.dir })
  const out = await run('vaultctl', ['export', at.at('one'), 'huge', '-o', at.at('huge.car')])
  expect(out.code, out.stderr).toBe(0)
  expect(out.peakMiB).toBeLessThan(400)
  const into = await run('vaultctl', ['import', at.at('two'), at.at('huge.car'), '--name', 'huge'])
  expect(into.code, into.stderr).toBe(0)
  expect(into.peakMiB).toBeLessThan(400)
})

test('check-store tries out the disk of a folder, says each promise, and leaves nothing behind', async () => {
  await using at = await space()
  const before = await json('vaultctl', ['root', at.at('one')])
  const checked = await json<{ cases: { store: string; ok: boolean }[]; count: number }>('vaultctl', [
    'check-store',
    at.at('one'),
  ])
  expect(checked).toMatchObject({ ok: true, failed: 0, count: checked.cases.length })
  for (const store of ['cas', 'soup']) expect(checked.cases.some((each) => each.store === store && each.ok)).toBe(true)
  expect((await readdir(at.at('one'))).filter((name) => name.startsWith('.vault-check-'))).toEqual([])
  expect(await json('vaultctl', ['root', at.at('one')])).toEqual(before)
  expect(await json('vaultctl', ['check-store', at.at('absent')], 1)).toMatchObject({
    error: { code: 'VAULT_INACCESSIBLE' },
  })
})

test('check-store ends with 1 where a promise is broken', async () => {
  await using at = await scratch()
  // A path that SQLite cannot open: longer than its limit of 512 bytes, and allowed by the system.
  const deep = at.at(...Array.from({ length: 4 }, () => 'x'.repeat(150)))
  await mkdir(deep, { recursive: true })
  const checked = await json<{ cases: { store: string; ok: boolean; message?: string }[]; failed: number }>(
    'vaultctl',
    ['check-store', deep],
    1,
  )
  expect(checked.failed).toBeGreaterThan(0)
  for (const { store, ok, message } of checked.cases) {
    expect(ok).toBe(store === 'cas')
    if (!ok) expect(message).toBeTruthy()
  }
  expect(await readdir(deep)).toEqual([])
})
