import { utf8 } from '@vault/core'
import type { ContractCase } from '@vault/core/testing'
import { assertRejects, assertSame, assertThat } from '@vault/core/testing'
import type { LogStore } from './log-store.ts'

const [A, B, C] = ['a', 'b', 'c'].map((text) => utf8(`checkpoint ${text}\n`)) as [Uint8Array, Uint8Array, Uint8Array]

/**
 * What every log store promises, as programs. Each case needs a store of its own that holds no log yet; none is left in a
 * state that a trail could open.
 */
export const logContract: readonly ContractCase<LogStore>[] = [
  {
    name: 'an empty store has no head, no files and no lists',
    async run(store) {
      assertSame(await store.head(), undefined, 'head')
      for (const name of ['checkpoint', 'checkpoints/1', 'tile/0/000', 'tile/entries/000.p/3']) {
        assertSame(await store.read(name), undefined, name)
      }
      for (const folder of ['checkpoints', 'tile/0/000.p']) assertSame(await store.list(folder), [], folder)
    },
  },
  {
    name: 'what is written is read, and replaces what was there',
    async run(store) {
      const names = ['tile/entries/000.p/3', 'tile/0/000.p/3', 'tile/0/x001/x234/067', 'checkpoints/12']
      await store.write(names.map((name) => ({ name, bytes: utf8(name) })))
      for (const name of names) assertSame(await store.read(name), utf8(name), name)
      await store.write([{ name: 'tile/0/000.p/3', bytes: A }])
      assertSame(await store.read('tile/0/000.p/3'), A, 'the second content')
      assertSame(await store.read('tile/0/000.p/4'), undefined, 'another width')
    },
  },
  {
    name: 'bytes that are given and returned stay as they are',
    async run(store) {
      const given = utf8('entry')
      await store.write([{ name: 'tile/entries/000', bytes: given }])
      given.fill(0)
      const first = await store.read('tile/entries/000')
      assertSame(first, utf8('entry'), 'after the given bytes were changed')
      first?.fill(0)
      assertSame(await store.read('tile/entries/000'), utf8('entry'), 'after the returned bytes were changed')
    },
  },
  {
    name: 'many files at once',
    async run(store) {
      const names = Array.from({ length: 100 }, (_, i) => `tile/0/${`${i}`.padStart(3, '0')}`)
      await store.write(names.map((name) => ({ name, bytes: utf8(name) })))
      for (const name of names) assertSame(await store.read(name), utf8(name), name)
      await store.write([])
    },
  },
  {
    name: 'lists checkpoints and the partial files of one tile',
    async run(store) {
      const names = [
        'tile/0/000.p/3',
        'tile/0/000.p/40',
        'tile/0/000',
        'tile/1/000.p/7',
        'checkpoints/9',
        'checkpoints/10',
      ]
      await store.write(names.map((name) => ({ name, bytes: A })))
      assertSame([...(await store.list('tile/0/000.p'))].sort(), ['3', '40'], 'partial tiles')
      assertSame([...(await store.list('checkpoints'))].sort(), ['10', '9'], 'checkpoints')
    },
  },
  {
    name: 'removes what is there, and minds nothing that is not',
    async run(store) {
      await store.write([{ name: 'tile/0/000.p/3', bytes: A }])
      await store.remove(['tile/0/000.p/3', 'tile/0/000.p/4', 'tile/7/000'])
      assertSame(await store.read('tile/0/000.p/3'), undefined, 'the removed file')
      assertSame(await store.list('tile/0/000.p'), [], 'its folder')
    },
  },
  {
    name: 'the head goes from one checkpoint to the next, and each is kept',
    async run(store) {
      assertSame(await store.swapHead(undefined, A, 1), true, 'the first')
      assertSame(await store.head(), A, 'head')
      assertSame(await store.read('checkpoint'), A, 'checkpoint')
      assertSame(await store.swapHead(A, B, 5), true, 'the second')
      assertSame(await store.head(), B, 'head')
      assertSame(await store.read('checkpoint'), B, 'checkpoint')
      assertSame(await store.read('checkpoints/1'), A, 'checkpoints/1')
      assertSame(await store.read('checkpoints/5'), B, 'checkpoints/5')
      assertSame([...(await store.list('checkpoints'))].sort(), ['1', '5'], 'the list of checkpoints')
    },
  },
  {
    name: 'a swap that expects another head changes nothing',
    async run(store) {
      assertSame(await store.swapHead(A, B, 1), false, 'of an empty store')
      assertSame(await store.head(), undefined, 'head')
      await store.swapHead(undefined, A, 1)
      assertSame(await store.swapHead(undefined, B, 2), false, 'none expected')
      assertSame(await store.swapHead(C, B, 2), false, 'another expected')
      assertSame(await store.head(), A, 'head')
      assertSame(await store.read('checkpoint'), A, 'checkpoint')
      assertSame(await store.read('checkpoints/2'), undefined, 'checkpoints/2')
    },
  },
  {
    name: 'of many swaps at once one succeeds',
    async run(store) {
      for (let round = 0, head: Uint8Array | undefined; round < 5; round++) {
        const rivals = Array.from({ length: 8 }, (_, i) => utf8(`round ${round}, rival ${i}\n`))
        const won = await Promise.all(rivals.map((note, i) => store.swapHead(head, note, round * 8 + i)))
        assertSame(won.filter(Boolean).length, 1, 'how many have won')
        head = rivals[won.indexOf(true)]
        assertSame(await store.head(), head, 'head')
      }
    },
  },
  {
    name: 'refuses names that no log has',
    async run(store) {
      const names = [
        '',
        '.',
        '../x',
        '/tile/0/000',
        'tile/0/../../x',
        'tile/64/000',
        'tile/0/000.p/0',
        'checkpoints/01',
        'checkpoints/',
        'tile',
      ]
      for (const name of names) {
        await assertRejects(store.read(name), 'AUDIT_NAME_INVALID', `read ${name}`)
        await assertRejects(store.write([{ name, bytes: A }]), 'AUDIT_NAME_INVALID', `write ${name}`)
        await assertRejects(store.remove([name]), 'AUDIT_NAME_INVALID', `remove ${name}`)
        await assertRejects(store.list(name), 'AUDIT_NAME_INVALID', `list ${name}`)
      }
      await assertRejects(store.write([{ name: 'checkpoint', bytes: A }]), 'AUDIT_NAME_INVALID', 'write checkpoint')
      await assertRejects(store.swapHead(undefined, A, -1), 'AUDIT_NAME_INVALID', 'a size that is none')
    },
  },
  {
    name: 'an abort is thrown as it is',
    async run(store) {
      const reason = new Error('enough')
      const signal = AbortSignal.abort(reason)
      const calls = [
        store.read('checkpoint', { signal }),
        store.head({ signal }),
        store.list('checkpoints', { signal }),
        store.write([{ name: 'tile/0/000', bytes: A }], { signal }),
        store.remove(['tile/0/000'], { signal }),
        store.swapHead(undefined, A, 1, { signal }),
      ]
      const outcomes = await Promise.allSettled(calls)
      for (const outcome of outcomes)
        assertThat(outcome.status === 'rejected' && outcome.reason === reason, 'rejects with the reason')
      assertSame(await store.head(), undefined, 'head')
    },
  },
]
