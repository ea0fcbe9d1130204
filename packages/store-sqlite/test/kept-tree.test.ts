import { setImmediate } from 'node:timers/promises'
import type { Subtree } from '@vault/core'
import { objectKey, toHex } from '@vault/core'
import { expect, test } from 'vitest'
import { openSqliteSoupStore } from '../src/index.ts'
import { commitTexts, createStore, object, VAULT } from './subject.ts'
import { temporaryFolder } from './temporary-folder.ts'

function subtree(byte: number): Subtree {
  return { hash: new Uint8Array(32).fill(byte), count: byte }
}

/** So many that they are written at once, not at the end of the view. */
function many(): Map<string, Subtree> {
  return new Map(Array.from({ length: 32_768 }, (_, i) => [i.toString(16).padStart(5, '0'), subtree(1)]))
}

test('a view that was overtaken between two writes keeps nothing more', async () => {
  using folder = temporaryFolder()
  await using store = await createStore(folder.file('soup.sqlite'))
  const soup = store.soup(VAULT)
  await commitTexts(soup, ['a'])
  await soup.view(async ({ objects }) => {
    await objects.keep(many())
    expect(await soup.view((now) => now.objects.children('0000'))).toEqual(Array.from({ length: 16 }, () => subtree(1)))
    await commitTexts(soup, ['b', 'c', 'd'])
    const all = Array.from('0123456789abcdef', (digit): [string, Subtree] => [digit, subtree(2)])
    await soup.view((now) => now.objects.keep(new Map(all)))
    await objects.keep(new Map(all.map(([digit]) => [digit, subtree(3)])))
  })
  expect(await soup.view(({ objects }) => objects.children(''))).toEqual(Array.from({ length: 16 }, () => subtree(2)))
})

test('a change makes unknown what lies over and under its bucket, and nothing else', async () => {
  using folder = temporaryFolder()
  await using store = await createStore(folder.file('soup.sqlite'))
  const soup = store.soup(VAULT)
  await commitTexts(soup, ['a'])
  const [member] = await soup.members({ limit: 1 })
  const hex = Buffer.from(member?.key ?? []).toString('hex')
  await soup.commit({ epoch: 0, entries: { remove: ['path:a'] }, objects: { release: member ? [member.id] : [] } })
  const prefixes = [1, 2, 3, 4, 5, 6, 7].flatMap((length) => {
    const last = Number.parseInt(hex[length - 1] as string, 16)
    return [last, (last + 1) % 16].map((digit) => hex.slice(0, length - 1) + digit.toString(16))
  })
  await soup.view(({ objects }) => objects.keep(new Map(prefixes.map((prefix) => [prefix, subtree(1)]))))
  const known = (): Promise<readonly (boolean | undefined)[]> =>
    soup.view(({ objects }) =>
      Promise.all(
        prefixes.map(async (prefix) => {
          const children = await objects.children(prefix.slice(0, -1))
          return children[Number.parseInt(prefix.slice(-1), 16)] !== undefined
        }),
      ),
    )
  expect(await known()).toEqual(prefixes.map(() => true))
  await commitTexts(soup, ['a'])
  // The neighbours of six and seven digits share the changed bucket.
  expect(await known()).toEqual(prefixes.map((prefix) => !hex.startsWith(prefix) && prefix.length <= 5))
})

test('of very many changes all is forgotten that lies over them, and nothing else', async () => {
  using folder = temporaryFolder()
  await using store = await createStore(folder.file('soup.sqlite'))
  const soup = store.soup(VAULT)
  await soup.view(({ objects }) => objects.keep(many()))
  const added = Array.from({ length: 3_000 }, (_, i) => object(`text ${i}`))
  await soup.commit({ epoch: 0, objects: { add: added } })
  await soup.view(({ objects }) => objects.keep(new Map([['f', subtree(2)]])))
  const changed = new Set(added.map(({ id }) => toHex(objectKey(id)).slice(0, 5)))
  await soup.view(async ({ objects }) => {
    for (let i = 0; i < 2_048; i++) {
      const prefix = i.toString(16).padStart(4, '0')
      const known = (await objects.children(prefix)).map((child) => child !== undefined)
      expect(known).toEqual(Array.from('0123456789abcdef', (digit) => !changed.has(prefix + digit)))
    }
  })
})

test.each([
  ['before a later view writes', undefined],
  ['before a later view looks what to forget', 0],
  ['when a later view has looked at some of it', 2],
])('what a view of an earlier time keeps %s is not taken for what is there later', async (_when, turns) => {
  using folder = temporaryFolder()
  await using store = await createStore(folder.file('soup.sqlite'))
  const soup = store.soup(VAULT)
  const isBetween = turns !== undefined
  const added = Array.from({ length: 3_000 }, (_, i) => object(`text ${i}`))
  const changed = added.map(({ id }) => toHex(objectKey(id)).slice(0, 5))
  const below = (byte: number) => new Map(changed.map((prefix) => [`${prefix}0`, subtree(byte)]))
  await soup.view(({ objects }) => objects.keep(isBetween ? below(1) : new Map([['f', subtree(1)]])))
  await soup.view(async (earlier) => {
    await soup.commit({ epoch: 0, objects: { add: added } })
    await soup.view(async (later) => {
      await later.objects.children('')
      if (!isBetween) await earlier.objects.keep(below(2))
      const written = later.objects.keep(many())
      for (let turn = 0; turn < (turns ?? 0); turn++) await setImmediate()
      if (isBetween) await earlier.objects.keep(below(2))
      await written
    })
  })
  await soup.view(async ({ objects }) => {
    expect((await objects.children('0000'))[0]).toEqual(subtree(1))
    for (const prefix of changed) expect((await objects.children(prefix))[0], prefix).toBeUndefined()
  })
})

test('a later view goes on with what another one had begun to take out', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await using store = await createStore(path)
  const soup = store.soup(VAULT)
  const added = Array.from({ length: 3_000 }, (_, i) => object(`text ${i}`))
  const changed = new Set(added.map(({ id }) => toHex(objectKey(id)).slice(0, 5)))
  const keep = (kept: Map<string, Subtree>) => soup.view(({ objects }) => objects.keep(kept))
  await keep(many())
  await soup.commit({ epoch: 0, objects: { add: added } })
  const other = await openSqliteSoupStore({ path, mode: 'write' })
  const stopped = other.soup(VAULT).view(async ({ objects }) => {
    const written = objects.keep(many())
    await setImmediate()
    await other[Symbol.asyncDispose]()
    await written
  })
  await expect(stopped).rejects.toThrow('closed')
  const known = async () => {
    const firsts = Array.from({ length: 2_048 }, (_, i) => i.toString(16).padStart(4, '0'))
    const children = await soup.view(({ objects }) => Promise.all(firsts.map((prefix) => objects.children(prefix))))
    return firsts.flatMap(
      (prefix, i) => children[i]?.map((child, digit) => [prefix + digit.toString(16), child] as const) ?? [],
    )
  }
  const unchanged = (prefix: string) => (changed.has(prefix) ? undefined : subtree(1))
  for (const [prefix, child] of await known()) expect(child, prefix).toEqual(unchanged(prefix))
  expect(await Array.fromAsync(soup.check())).toEqual([])
  await keep(new Map([['f', subtree(2)]]))
  for (const [prefix, child] of await known()) expect(child, prefix).toEqual(unchanged(prefix))
  expect((await soup.view(({ objects }) => objects.children('')))[15]).toEqual(subtree(2))
})

test('behind a rebuild a view of an earlier time keeps nothing', async () => {
  using folder = temporaryFolder()
  await using store = await createStore(folder.file('soup.sqlite'))
  const soup = store.soup(VAULT)
  const all = new Map(Array.from('0123456789abcdef', (digit) => [digit, subtree(1)]))
  await soup.view(async ({ objects }) => {
    await soup.commit({ epoch: 0, objects: { add: [object('a')] } })
    await soup.rebuild()
    await objects.keep(all)
  })
  await soup.view(async ({ objects }) => {
    expect((await objects.children('')).filter((child) => child !== undefined)).toEqual([])
    await objects.keep(all)
  })
  expect((await soup.view(({ objects }) => objects.children('')))[0]).toEqual(subtree(1))
})

test('what is kept stays known where only other things change, however far the feed reaches back', async () => {
  using folder = temporaryFolder()
  await using store = await openSqliteSoupStore({ path: folder.file('soup.sqlite'), mode: 'create', feedRetention: 1 })
  await store.tenures.transition(VAULT, { state: 'none', epoch: 0 }, { state: 'active', epoch: 0 })
  const soup = store.soup(VAULT)
  await commitTexts(soup, ['a'])
  await soup.view(({ entries }) => entries.keep(new Map([['0', subtree(1)]])))
  for (const text of ['b', 'c', 'd']) {
    await soup.commit({ epoch: 0, objects: { add: [object(text)] } })
    expect((await soup.view(({ entries }) => entries.children('')))[0], text).toEqual(subtree(1))
  }
})

test('of what a move writes the feed keeps what kept subtrees need', async () => {
  using folder = temporaryFolder()
  await using store = await openSqliteSoupStore({ path: folder.file('soup.sqlite'), mode: 'create' })
  const soup = store.soup(VAULT)
  const receive = (text: string, more = {}) =>
    soup.receive({ migration: 'm1', ...more, objects: { add: [object(text)] }, entries: { put: [] } })
  await store.tenures.transition(
    VAULT,
    { state: 'none', epoch: 0 },
    { state: 'receiving', epoch: 0, migration: 'm1', driver: 1 },
  )
  const keep = () => soup.view(({ objects }) => objects.keep(new Map([['0', subtree(1)]])))
  for (const text of ['a', 'b']) await receive(text, { driver: 1 })
  expect(await soup.feed()).toEqual({ oldest: 0, latest: 2 })
  await keep()
  expect(await soup.feed()).toEqual({ oldest: 2, latest: 2 })
  await receive('c', { driver: 1 })
  expect(await soup.feed()).toEqual({ oldest: 2, latest: 3 })
  expect(await Array.fromAsync(soup.check())).toEqual([])
})

test('of a copy the feed stays: there are those who follow it', async () => {
  using folder = temporaryFolder()
  await using store = await openSqliteSoupStore({ path: folder.file('soup.sqlite'), mode: 'create' })
  const soup = store.soup(VAULT)
  await store.tenures.transition(VAULT, { state: 'none', epoch: 0 }, { state: 'receiving', epoch: 0, migration: 'm1' })
  await soup.receive({ migration: 'm1', objects: { add: [object('a')] } })
  await soup.view(({ objects }) => objects.keep(new Map([['0', subtree(1)]])))
  expect(await soup.feed()).toEqual({ oldest: 0, latest: 1 })
})

test('numbers that go on where another place stopped leave subtrees valid, and forget older ones', async () => {
  using folder = temporaryFolder()
  await using store = await openSqliteSoupStore({ path: folder.file('soup.sqlite'), mode: 'create' })
  const receiving = { state: 'receiving', epoch: 0, migration: 'm1' } as const
  await store.tenures.transition(VAULT, { state: 'none', epoch: 0 }, receiving)
  const soup = store.soup(VAULT)
  await soup.receive({ migration: 'm1', objects: { add: [object('a')] } })
  await soup.view(({ entries }) => entries.keep(new Map([['0', subtree(1)]])))
  await soup.receive({ migration: 'm1', objects: { add: [object('b')] } })
  await soup.view(({ objects }) => objects.keep(new Map([['0', subtree(2)]])))
  await store.tenures.transition(VAULT, receiving, { state: 'prepared', epoch: 0 })
  await soup.view(async ({ objects }) => {
    // A view from before, which writes when it ends.
    await objects.children('')
    await store.tenures.transition(VAULT, { state: 'prepared', epoch: 0 }, { state: 'active', epoch: 1, sequence: 40 })
    await objects.keep(new Map([['1', subtree(3)]]))
  })
  const kept = await soup.view(async ({ objects, entries, sequence }) => {
    return [sequence, (await objects.children('')).slice(0, 2), (await entries.children(''))[0]]
  })
  expect(kept).toEqual([40, [subtree(2), undefined], undefined])
  expect(await Array.fromAsync(soup.check())).toEqual([])
})
