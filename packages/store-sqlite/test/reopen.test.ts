import { cpSync } from 'node:fs'
import { utf8 } from '@vault/core'
import { expect, test } from 'vitest'
import { openSqliteSoupStore } from '../src/index.ts'
import { createStore, everything, idOf, object, receiveOver, VAULT } from './subject.ts'
import { temporaryFolder } from './temporary-folder.ts'

const RETURNING = idOf('returning vault')

test('everything that goes with a vault is there after a crash and after closing', async () => {
  using folder = temporaryFolder()
  const [path, crashed] = [folder.file('soup.sqlite'), folder.file('crashed.sqlite')]
  let before: unknown
  {
    await using store = await createStore(path)
    await receiveOver(store, RETURNING)
    await store.soup(VAULT).commit({ epoch: 0, events: [utf8('a'), utf8('b')], hold: [object('payload')] })
    await store.soup(VAULT).settled(1)
    await store.records.swap('r', 0, utf8('first'))
    await store.records.swap('r', 1, undefined)
    before = await allOf(store)
    // As after a crash: the file and its log as they are, without closing.
    for (const suffix of ['', '-wal']) cpSync(path + suffix, crashed + suffix)
  }
  for (const file of [path, crashed]) {
    await using store = await openSqliteSoupStore({ path: file, mode: 'write' })
    expect(await allOf(store)).toEqual(before)
    for (const vault of [VAULT, RETURNING]) expect(await Array.fromAsync(store.soup(vault).check())).toEqual([])
    const soup = store.soup(VAULT)
    expect((await soup.queued({ limit: 9 })).map(({ index }) => index)).toEqual([1])
    await soup.commit({ epoch: 0, events: [utf8('c')] })
    expect((await soup.queued({ limit: 9 })).map(({ index }) => index)).toEqual([1, 2])
    expect(await store.records.swap('r', 0, utf8('second')), 'a version that was never there').toBe(3)
    const returning = store.soup(RETURNING)
    expect(await returning.restore({ migration: 'm1', driver: 7, limit: 100 })).toEqual({ remaining: 0 })
    expect(await returning.charged([idOf('old'), idOf('new')])).toEqual([true, false])
    expect((await returning.entry('path:old'))?.object).toBe(idOf('old'))
    expect((await returning.receive({ migration: 'm1', driver: 7, record: utf8('x') })).batch).toBe(2)
  }
})

async function allOf({ tenures, soup }: Awaited<ReturnType<typeof openSqliteSoupStore>>): Promise<unknown> {
  const vaults = await Promise.all([VAULT, RETURNING].map((vault) => everything(soup(vault))))
  return { vaults, evidence: await tenures.evidence(RETURNING) }
}

test('two stores swap one record: one of them wins each version', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await using first = await createStore(path)
  await using second = await openSqliteSoupStore({ path, mode: 'write' })
  for (let version = 0; version < 20; version++) {
    const swaps = [first, second].map(({ records }, i) => records.swap('r', version, utf8(String(i))))
    const outcomes = await Promise.allSettled(swaps)
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  }
  expect((await second.records.read('r'))?.version).toBe(20)
})
