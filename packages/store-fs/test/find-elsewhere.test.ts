import type { Block } from '@vault/cas'
import { contentId, utf8 } from '@vault/core'
import { expect, test } from 'vitest'
import { type Fs, type FsCas, openFsCas } from '../src/index.ts'
import { simulatedFs } from '../src/testing.ts'

const dir = '/place'
const zeros = (length: number) => new Uint8Array(length)

function block(text: string): Block {
  const bytes = utf8(text)
  return { id: contentId(bytes), bytes }
}

/** Writes a batch in a session of its own; gives its segment. */
async function write(fs: Fs, ...texts: readonly string[]): Promise<string> {
  await using cas = await openFsCas({ dir, mode: 'write', fs })
  const [ack] = await Array.fromAsync(cas.putMany([texts.map(block)]))
  return ack?.segment as string
}

const namesIn = async (cas: FsCas) => (await cas.segments()).map(({ segment }) => segment)

test('a segment other than these that has a record', async () => {
  const fs = simulatedFs()
  const [one, two] = [await write(fs, 'a', 'b'), await write(fs, 'b', 'c')]
  await using cas = await openFsCas({ dir, mode: 'write', fs })
  const ids = ['a', 'b', 'c', 'd'].map((text) => block(text).id)
  for (const check of [false, true]) {
    expect(await cas.findElsewhere(ids, new Set([one]), { check })).toEqual([undefined, two, two, undefined])
    expect(await cas.findElsewhere(ids, new Set([one, two]), { check })).toEqual(ids.map(() => undefined))
  }
  expect(await cas.findElsewhere([], new Set())).toEqual([])
  const three = await write(fs, 'd')
  expect(await cas.findElsewhere(ids, new Set([one, two]))).toEqual([undefined, undefined, undefined, three])
})

test('what another session has written and not flushed is durable when it has been found with a check', async () => {
  const disk = simulatedFs()
  const first = await write(disk, 'needed')
  const { promise: written, resolve } = Promise.withResolvers<void>()
  const open: Fs['open'] = async (path, mode) => {
    const file = await disk.open(path, mode)
    const never = () => {
      resolve()
      return new Promise<never>(() => {})
    }
    return { ...file, datasync: never }
  }
  // As if killed between writing its batch and flushing it.
  const fs = new Proxy<Fs>(disk, {
    get: (target, name) => (name === 'open' ? open : Reflect.get(target, name).bind(target)),
  })
  const writer = await openFsCas({ dir, mode: 'write', fs })
  void Array.fromAsync(writer.putMany([[block('needed')]]))
  await written
  {
    await using cas = await openFsCas({ dir, mode: 'write', fs: disk })
    const [second] = (await namesIn(cas)).filter((name) => name !== first)
    expect(await cas.findElsewhere([block('needed').id], new Set([first]), { check: true })).toEqual([second])
    await cas.removeSegments([first])
  }
  await using after = await openFsCas({ dir, mode: 'read', fs: disk.crash(zeros) })
  expect(await after.get(block('needed').id)).toEqual(utf8('needed'))
})
