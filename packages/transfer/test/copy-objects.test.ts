import type { BulkCas } from '@vault/cas'
import { faultyCas } from '@vault/cas/testing'
import { VaultError } from '@vault/core'
import type { Intake, Member } from '@vault/soup'
import { expect, test } from 'vitest'
import { type CopyTarget, copyObjects } from '../src/index.ts'
import type { MemoryVault } from './memory-vault.ts'
import { activeVault, collect, commit, fill, linkingBlock, rawBlock, receivingVault } from './memory-vault.ts'

const options = { migration: 'm' }

function into({ soup }: MemoryVault, objects: BulkCas): CopyTarget {
  return { objects, soup, intake: soup }
}

/** A store whose acknowledgements are changed on their way. */
function acknowledging(objects: BulkCas, change: (ids: readonly string[]) => readonly string[]): BulkCas {
  return {
    ...objects,
    async *putMany(batches, o) {
      for await (const ack of objects.putMany(batches, o)) yield { ...ack, ids: change(ack.ids) as typeof ack.ids }
    },
  }
}

async function pair() {
  const source = await activeVault('v')
  const target = await receivingVault('v')
  return { source, target }
}

test('takes whole windows under charge, with sizes and links from the bytes', async () => {
  const { source, target } = await pair()
  const parts = [rawBlock('a'), rawBlock('b')]
  const manifest = linkingBlock(
    'm',
    parts.map(({ id }) => id),
  )
  await commit(source, [...parts, manifest])
  const ids = [...parts, manifest].map(({ id }) => id)
  const steps = await collect(
    copyObjects(source, into(target, target.objects), [ids.slice(0, 2), ids.slice(2)], options),
  )
  expect(steps.map((step) => step.ids)).toEqual([ids.slice(0, 2), ids.slice(2)])
  expect(steps.map((step) => step.bytes)).toEqual([2, manifest.bytes.length])
  const members = await target.soup.members({ limit: 10 })
  const copied = members.find(({ id }) => id === manifest.id)
  expect(copied).toMatchObject({ size: manifest.bytes.length, links: parts.map(({ id }) => id) })
  expect((await target.soup.tenure()).sequence).toBe(2)
})

test.each([
  ['another id', (ids: readonly string[]) => [rawBlock('other').id, ...ids.slice(1)]],
  ['one id less', (ids: readonly string[]) => ids.slice(1)],
  ['one id more', (ids: readonly string[]) => [...ids, rawBlock('other').id]],
  ['another order', (ids: readonly string[]) => ids.toReversed()],
])('refuses an acknowledgement with %s', async (_, change) => {
  const { source, target } = await pair()
  const ids = (await fill(source, 10)).map(({ id }) => id)
  const copying = collect(copyObjects(source, into(target, acknowledging(target.objects, change)), [ids], options))
  await expect(copying).rejects.toMatchObject({ code: 'TRANSFER_REFUSED' })
  expect(await target.soup.members({ limit: 1 })).toEqual([])
})

test('refuses a store that does not take what it is given', async () => {
  const { source, target } = await pair()
  const ids = (await fill(source, 10)).map(({ id }) => id)
  const deaf: BulkCas = {
    ...target.objects,
    async *putMany() {
      yield* []
    },
  }
  await expect(collect(copyObjects(source, into(target, deaf), [ids], options))).rejects.toMatchObject({
    code: 'TRANSFER_REFUSED',
  })
})

test('refuses a store that falls silent', async () => {
  const { source, target } = await pair()
  const ids = (await fill(source, 10)).map(({ id }) => id)
  const silent: BulkCas = {
    ...target.objects,
    async *putMany(batches) {
      for await (const _ of batches) yield* []
    },
  }
  await expect(collect(copyObjects(source, into(target, silent), [ids], options))).rejects.toMatchObject({
    code: 'TRANSFER_REFUSED',
    details: { id: ids[0] },
  })
})

test('names everything that the source cannot give, and copies the rest', async () => {
  const { source, target } = await pair()
  const ids = (await fill(source, 20)).map(({ id }) => id)
  const objects = faultyCas(source.objects, { vanished: (id) => id === ids[3], damaged: (id) => id === ids[7] })
  const [step] = await collect(copyObjects({ ...source, objects }, into(target, target.objects), [ids], options))
  expect(step?.lost.map(({ code, subject }) => [code, subject])).toEqual([
    ['TRANSFER_SOURCE_MISSING', ids[3]],
    ['TRANSFER_SOURCE_DAMAGED', ids[7]],
  ])
  expect(step?.ids).toEqual(ids.filter((_, i) => i !== 3 && i !== 7))
})

test('takes a window under charge in several changes, in its order, each with few members and links', async () => {
  const { source, target } = await pair()
  const parts = Array.from({ length: 17_000 }, (_, i) => rawBlock(`part ${i}`))
  const named = parts.map(({ id }) => id)
  const linking = Array.from({ length: 4 }, (_, i) => linkingBlock(`list ${i}`, named))
  await commit(source, [...parts, ...linking])
  const ids = [...named, ...linking.map(({ id }) => id)]
  const received: (readonly Member[])[] = []
  const intake: Pick<Intake, 'receive'> = {
    receive(batch, o) {
      received.push(batch.objects?.add ?? [])
      return target.soup.receive(batch, o)
    },
  }
  const twice = [...ids, ids[3]!]
  const [step] = await collect(copyObjects(source, { ...into(target, target.objects), intake }, [twice], options))
  expect(step?.ids).toEqual(ids)
  expect(received.flat().map(({ id }) => id)).toEqual(ids)
  expect(received.map((add) => add.length)).toEqual([16_384, 619, 1])
  for (const add of received) expect(add.flatMap(({ links }) => links).length).toBeLessThanOrEqual(65_536)
})

test('takes nothing of a closed window from which something is lost', async () => {
  const { source, target } = await pair()
  const ids = (await fill(source, 5)).map(({ id }) => id)
  const objects = faultyCas(source.objects, { vanished: (id) => id === ids[3] })
  const closed = { ...options, closed: true }
  const [step] = await collect(copyObjects({ ...source, objects }, into(target, target.objects), [ids], closed))
  expect(step).toMatchObject({ ids: [], bytes: 0, lost: [{ subject: ids[3] }] })
  expect(await target.soup.members({ limit: 1 })).toEqual([])
})

test('passes over what left the source meanwhile', async () => {
  const { source, target } = await pair()
  const ids = (await fill(source, 5)).map(({ id }) => id)
  await source.soup.commit({ epoch: 0, entries: { remove: ['path:file-2'] }, objects: { release: [ids[2]!] } })
  await source.objects.erase([ids[2]!])
  const [step] = await collect(copyObjects(source, into(target, target.objects), [ids], options))
  expect(step?.lost).toEqual([])
  expect(step?.ids).toHaveLength(4)
})

test('an id that is answered twice, or was not asked for, does not come under charge', async () => {
  const { source, target } = await pair()
  const ids = (await fill(source, 3)).map(({ id }) => id)
  const stranger = rawBlock('stranger')
  const objects: MemoryVault['objects'] = {
    ...source.objects,
    async *getMany(batches, o) {
      for await (const piece of source.objects.getMany(batches, o)) {
        yield piece
        yield { ...piece, blocks: [...piece.blocks, { ...stranger, bytes: new Uint8Array(stranger.bytes) }] }
      }
    },
  }
  const [step] = await collect(copyObjects({ ...source, objects }, into(target, target.objects), [ids], options))
  expect(step?.ids).toEqual(ids)
  expect(await target.objects.has(stranger.id)).toBe(false)
})

test('sends a window again where the target condemned the segment meanwhile, and not for ever', async () => {
  const { source, target } = await pair()
  const ids = (await fill(source, 5)).map(({ id }) => id)
  let refusals = 2
  const intake: CopyTarget['intake'] = {
    async receive(batch, o) {
      if (refusals-- > 0) throw new VaultError({ code: 'SOUP_CONDEMNED', message: 'condemned' })
      return target.soup.receive(batch, o)
    },
  }
  const steps = await collect(copyObjects(source, { ...into(target, target.objects), intake }, [ids], options))
  expect(steps).toHaveLength(1)
  refusals = 3
  const copying = collect(copyObjects(source, { ...into(target, target.objects), intake }, [ids], options))
  await expect(copying).rejects.toMatchObject({ code: 'SOUP_CONDEMNED' })
})

test('states the segments that it relies on', async () => {
  const { source, target } = await pair()
  const ids = (await fill(source, 5)).map(({ id }) => id)
  const [[block]] = [await fill(await activeVault('other'), 1)]
  const [ack] = await collect(target.objects.putMany([[block!]]))
  await target.store.reclaim.condemn([ack!.segment])
  const copying = collect(copyObjects(source, into(target, target.objects), [ids], options))
  await expect(copying).rejects.toMatchObject({ code: 'SOUP_CONDEMNED' })
})

test('batches are bounded in bytes and number, and few are in flight', async () => {
  const { source, target } = await pair()
  const large = Array.from({ length: 40 }, (_, i) => rawBlock(`${i} ${'x'.repeat(1_000_000)}`))
  await commit(source, large)
  const small = await fill(source, 9_000)
  const ids = [...small, ...large].map(({ id }) => id)
  const sizes: { count: number; bytes: number }[] = []
  const objects: BulkCas = {
    ...target.objects,
    async *putMany(batches, o) {
      async function* measured() {
        for await (const batch of batches) {
          sizes.push({ count: batch.length, bytes: batch.reduce((sum, { bytes }) => sum + bytes.length, 0) })
          yield batch
        }
      }
      yield* target.objects.putMany(measured(), o)
    },
  }
  await collect(copyObjects(source, into(target, objects), [ids], options))
  expect(sizes.every(({ count, bytes }) => count <= 4_096 && bytes <= 8 * 1024 * 1024)).toBe(true)
  expect(sizes.reduce((sum, { count }) => sum + count, 0)).toBe(9_040)
})

test('an abort comes through unchanged', async () => {
  const { source, target } = await pair()
  const ids = (await fill(source, 5)).map(({ id }) => id)
  const reason = new Error('enough')
  const copying = collect(
    copyObjects(source, into(target, target.objects), [ids], { ...options, signal: AbortSignal.abort(reason) }),
  )
  await expect(copying).rejects.toBe(reason)
})
