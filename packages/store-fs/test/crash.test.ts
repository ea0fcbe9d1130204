import { spawn } from 'node:child_process'
import { readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ContentId } from '@vault/core'
import { contentId, isVaultError, utf8 } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { nodeFs, openFsCas } from '../src/index.ts'
import type { Fault, FsOperation } from '../src/testing.ts'
import { faultyFs } from '../src/testing.ts'
import { filesIn, folder, listed, scrubbed } from './folder.ts'

const PROGRAM = fileURLToPath(new URL('writer-process.ts', import.meta.url))

/** Runs a writer, kills it when it has printed so many ids, and returns the ids it printed. */
function runWriter(
  dir: string,
  seed: string,
  batches: number,
  killAfter = Number.POSITIVE_INFINITY,
): Promise<ContentId[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=@vault/source', PROGRAM, dir, seed, String(batches)])
    let printed = ''
    let complaints = ''
    child.stdout.on('data', (part: Buffer) => {
      printed += part
      if (printed.length / 60 >= killAfter) child.kill('SIGKILL')
    })
    child.stderr.on('data', (part: Buffer) => {
      complaints += part
    })
    child.on('close', (code, signal) => {
      if (code !== 0 && signal !== 'SIGKILL') reject(new Error(complaints))
      else resolve(printed.split('\n').filter((line) => line.length === 59) as ContentId[])
    })
  })
}

async function expectAll(dir: string, ids: readonly ContentId[]): Promise<void> {
  await using cas = await openFsCas({ dir, mode: 'read' })
  let found = 0
  for await (const { blocks, absent, damaged } of cas.getMany([ids])) {
    found += blocks.length
    expect([absent, damaged]).toEqual([[], []])
  }
  expect(found).toBe(ids.length)
}

describe('a writer that is killed', () => {
  test('has lost nothing that it acknowledged', { timeout: 60_000 }, async () => {
    await using place = await folder()
    const acknowledged: ContentId[] = []
    for (const killAfter of [1, 150, 400]) {
      acknowledged.push(...(await runWriter(place.dir, `killed ${killAfter}`, 10_000, killAfter)))
    }
    expect(acknowledged.length).toBeGreaterThan(550)
    await expectAll(place.dir, acknowledged)
    await using cas = await openFsCas({ dir: place.dir, mode: 'write' })
    const { findings, damaged } = await scrubbed(cas)
    expect(damaged).toEqual([])
    expect(findings.filter(({ code }) => code !== 'CAS_UNACKNOWLEDGED')).toEqual([])
  })

  test('leaves a torn group that readers and writers pass over', async () => {
    await using place = await folder()
    await using cas = await openFsCas({ dir: place.dir, mode: 'write' })
    const first = await cas.put(utf8('first'))
    const [path] = (await filesIn(place.dir)) as [string]
    const { length } = await readFile(join(place.dir, path))
    const second = await cas.put(utf8('second'))
    const { length: end } = await readFile(join(place.dir, path))
    await truncate(join(place.dir, path), end - 1)
    await using reader = await openFsCas({ dir: place.dir, mode: 'read' })
    expect(await reader.hasMany([first, second])).toEqual([true, false])
    expect(await scrubbed(reader)).toMatchObject({
      checked: 1,
      damaged: [],
      findings: [
        { code: 'CAS_UNACKNOWLEDGED', subject: path, message: expect.stringContaining(String(end - 1 - length)) },
      ],
    })
  })
})

test('four processes write one folder at once', { timeout: 60_000 }, async () => {
  await using place = await folder()
  await using watcher = await openFsCas({ dir: place.dir, mode: 'read' })
  const all = (await Promise.all(['a', 'b', 'c', 'd'].map((seed) => runWriter(place.dir, seed, 30)))).flat()
  expect(all).toHaveLength(4 * 30 * 20)
  expect((await watcher.hasMany(all)).every((held) => held)).toBe(true)
  expect((await listed(watcher)).toSorted()).toEqual([...new Set(all)].sort())
  await expectAll(place.dir, all)
})

describe('a disk that fails', () => {
  /** Stores until something fails; returns what was acknowledged. Whatever fails must say so by its code. */
  async function storeOn(dir: string, fault: Fault) {
    const fs = faultyFs(nodeFs, fault)
    const acknowledged: ContentId[] = []
    try {
      await using cas = await openFsCas({ dir, mode: 'write', fs })
      for (let i = 0; i < ROUNDS; i++) {
        const contents = [utf8(`${i} put`), utf8(`${i} and put`)]
        const outcomes = await Promise.allSettled(contents.map((bytes) => cas.put(bytes)))
        for (const outcome of outcomes) {
          if (outcome.status === 'fulfilled') acknowledged.push(outcome.value)
          else expect(isVaultError(outcome.reason, 'CAS_WRITE_FAILED')).toBe(true)
        }
        const blocks = [`${i} many`, `${i} more`].map((text) => ({ id: contentId(utf8(text)), bytes: utf8(text) }))
        try {
          for await (const { ids } of cas.putMany([blocks, [blocks[0] as (typeof blocks)[0]]]))
            acknowledged.push(...ids)
        } catch (error) {
          expect(isVaultError(error, 'CAS_WRITE_FAILED')).toBe(true)
        }
      }
    } catch (error) {
      expect(isVaultError(error, 'CAS_READ_FAILED'), String(error)).toBe(true)
    }
    return { acknowledged, struck: fs.struck }
  }

  const ROUNDS = 2
  const kinds: [Fault['failure'], readonly FsOperation[]][] = [
    ['ENOSPC', ['write', 'create']],
    ['EIO', ['write', 'datasync', 'syncDir', 'create', 'mkdir', 'rename']],
    ['EMFILE', ['open', 'create', 'list']],
    ['EROFS', ['create', 'mkdir']],
  ]
  for (const [failure, operations] of kinds) {
    for (const forever of [false, true]) {
      test(`with ${failure} at every ${operations.join(', ')}${forever ? ', from then on' : ''} loses nothing`, async () => {
        for (let at = 1; ; at++) {
          await using place = await folder()
          const { acknowledged, struck } = await storeOn(place.dir, { failure, operations, at, forever })
          await expectAll(place.dir, acknowledged)
          await using cas = await openFsCas({ dir: place.dir, mode: 'read' })
          const { findings } = await scrubbed(cas)
          expect(findings.filter(({ code }) => code !== 'CAS_UNACKNOWLEDGED')).toEqual([])
          if (!struck) expect(acknowledged).toHaveLength(ROUNDS * 5)
          if (!struck) break
        }
      })
    }
  }

  for (const operation of ['write', 'datasync', 'syncDir', 'create'] as const) {
    test(`in the ${operation} of one put fails that put alone`, async () => {
      await using place = await folder()
      const fs = faultyFs(nodeFs, { failure: 'EIO', operations: [operation], at: 1 })
      await using cas = await openFsCas({ dir: place.dir, mode: 'write', fs })
      const refused = await cas.put(utf8('first')).catch((error: unknown) => error)
      expect(isVaultError(refused, 'CAS_WRITE_FAILED')).toBe(true)
      const id = await cas.put(utf8('second'))
      await expectAll(place.dir, [id])
    })
  }

  test('writes and reads less than asked for, every time, with no loss', async () => {
    await using place = await folder()
    const { acknowledged } = await storeOn(place.dir, {
      failure: 'short',
      operations: ['write', 'read'],
      at: 1,
      forever: true,
    })
    expect(acknowledged).toHaveLength(ROUNDS * 5)
    await expectAll(place.dir, acknowledged)
  })
})
