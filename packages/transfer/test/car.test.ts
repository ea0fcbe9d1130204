import { CarReader, CarWriter } from '@ipld/car'
import { type Block, createMemoryCas, linksOf } from '@vault/cas'
import { type ContentId, concatBytes, contentId, utf8 } from '@vault/core'
import type { Member } from '@vault/soup'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { exportCar, type ImportCarOptions, type ImportedCar, importCar } from '../src/index.ts'
import { carOf, inChunks } from './car-bytes.ts'
import { activeVault, collect, commit, linkingBlock, rawBlock } from './memory-vault.ts'

const leaf = rawBlock('leaf')
const other = rawBlock('other')
const empty = rawBlock('')
const sha = { id: contentId(utf8('sha'), { hash: 'sha2-256' }), bytes: utf8('sha') }
const left = linkingBlock('left', [leaf.id, sha.id, empty.id])
const right = linkingBlock('right', [other.id, leaf.id])
const top = linkingBlock('top', [left.id, right.id, leaf.id])
const stranger = rawBlock('not linked from top')
const all: readonly Block[] = [leaf, other, empty, sha, left, right, top, stranger]

async function vaultOf(blocks: readonly Block[]) {
  const vault = await activeVault('v')
  await commit(vault, blocks)
  return vault
}

async function exported(...args: Parameters<typeof exportCar>): Promise<Uint8Array> {
  return concatBytes(...(await collect(exportCar(...args))))
}

async function imported(bytes: Uint8Array, options: ImportCarOptions = {}, chunk = 65_536) {
  const objects = createMemoryCas()
  let car: ImportedCar | undefined
  for await (const step of importCar(inChunks(bytes, chunk), { objects }, options))
    if (step.type === 'complete') car = step.car
  if (car === undefined) throw new Error('the import did not end')
  return { objects, car, members: [...car.changes()].flat() }
}

/** What `@ipld/car` reads. */
async function read(bytes: Uint8Array): Promise<{ roots: string[]; blocks: [id: string, bytes: Uint8Array][] }> {
  const reader = await CarReader.fromBytes(bytes)
  const blocks: [string, Uint8Array][] = []
  for await (const { cid, bytes } of reader.blocks()) blocks.push([cid.toString(), new Uint8Array(bytes)])
  return { roots: (await reader.getRoots()).map(String), blocks }
}

/** What `@ipld/car` writes. */
async function written(roots: readonly ContentId[], blocks: readonly Block[]): Promise<Uint8Array> {
  const { writer, out } = CarWriter.create(roots.map((id) => CID.parse(id)))
  const chunks = collect(out)
  for (const { id, bytes } of blocks) await writer.put({ cid: CID.parse(id), bytes })
  await writer.close()
  return concatBytes(...(await chunks))
}

function expectLinksFirst(members: readonly Member[]): void {
  const seen = new Set<ContentId>()
  for (const { id, links } of members) {
    for (const part of links) expect(seen.has(part)).toBe(true)
    expect(seen.has(id)).toBe(false)
    seen.add(id)
  }
}

describe('a CAR that is written', () => {
  test('has the roots and all they lead to, each once, links first, as @ipld/car reads it', async () => {
    const vault = await vaultOf(all)
    const { roots, blocks } = await read(await exported(vault, [top.id, right.id, top.id]))
    expect(roots).toEqual([top.id, right.id])
    const byId = new Map(all.map((block) => [block.id as string, block]))
    expect(blocks.map(([id]) => id).sort()).toEqual(
      all
        .filter((block) => block !== stranger)
        .map(({ id }) => id)
        .sort(),
    )
    for (const [id, bytes] of blocks) expect(bytes).toEqual(new Uint8Array(byId.get(id)!.bytes))
    expectLinksFirst(blocks.map(([id]) => ({ id: id as ContentId, size: 0, links: linksOf(byId.get(id)!) })))
  })

  test('is byte for byte what @ipld/car writes of the same blocks, and the same wherever it comes from', async () => {
    const bytes = await exported(await vaultOf(all), [top.id])
    const order = (await read(bytes)).blocks.map(([id]) => all.find((block) => block.id === id)!)
    expect(bytes).toEqual(await written([top.id], order))
    expect(await exported(await vaultOf(all.toReversed()), [top.id])).toEqual(bytes)
  })

  test('carries blocks that no store has, after what they link to', async () => {
    const vault = await vaultOf([leaf, other])
    const added = [right, linkingBlock('above', [right.id, other.id])].map((block) => ({
      ...block,
      links: linksOf(block),
    }))
    const { blocks } = await read(await exported(vault, [added[1]!.id], { added }))
    expect(blocks.map(([id]) => id).slice(2)).toEqual(added.map(({ id }) => id))
    expect((await imported(await exported(vault, [added[1]!.id], { added }))).car.objects).toBe(4)
  })

  test('writes a block once, also where closures take many windows', async () => {
    // Sizes as the soup states them make the windows; the bytes are short.
    const vault = await activeVault('v')
    const shared = rawBlock('shared')
    const leaves = Array.from({ length: 40 }, (_, i) => rawBlock(`leaf ${i}`))
    const nodes = leaves.map((block, i) => linkingBlock(`node ${i}`, [block.id, shared.id]))
    const root = linkingBlock(
      'root',
      nodes.map(({ id }) => id),
    )
    for await (const _ of vault.objects.putMany([[shared, ...leaves, ...nodes, root]]));
    const member = (block: Block): Member => ({ id: block.id, size: 16 * 1024 * 1024, links: linksOf(block) })
    await vault.soup.commit({ epoch: 0, objects: { add: [shared, ...leaves, ...nodes, root].map(member) } })
    const { blocks } = await read(await exported(vault, [root.id]))
    expect(blocks).toHaveLength(82)
    expect(new Set(blocks.map(([id]) => id)).size).toBe(82)
  })

  test('refuses what is not under charge, and names what the store has lost', async () => {
    const vault = await vaultOf(all)
    for await (const _ of vault.objects.putMany([[rawBlock('orphan')]]));
    await expect(exported(vault, [rawBlock('orphan').id])).rejects.toMatchObject({
      code: 'TRANSFER_CAR_INCOMPLETE',
      details: { id: rawBlock('orphan').id, missing: 1 },
    })
    await vault.objects.erase([sha.id])
    await expect(exported(vault, [top.id])).rejects.toMatchObject({ code: 'CAS_MISSING', details: { id: sha.id } })
    await expect(exported(vault, [])).rejects.toThrow(RangeError)
    const reason = new Error('stop')
    await expect(exported(vault, [top.id], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

describe('a CAR that is read', () => {
  test('of @ipld/car in any order, in chunks of any length', async () => {
    for (const order of [all, all.toReversed()]) {
      const bytes = await written([top.id], [...order, leaf])
      for (const chunk of [1, 7, 36, bytes.length]) {
        const { car, objects, members } = await imported(bytes, {}, chunk)
        expect(car).toMatchObject({ roots: [top.id], objects: 7, unreachable: 1 })
        expect(car.bytes).toBe(members.reduce((sum, { size }) => sum + size, 0))
        expectLinksFirst(members)
        for (const { id, size, links } of members) {
          const bytes = await objects.get(id)
          expect(bytes?.length).toBe(size)
          expect(car.sizeOf(id)).toBe(size)
          expect(links).toEqual(linksOf({ id, bytes: bytes! }))
        }
        expect(car.sizeOf(rawBlock('absent').id)).toBeUndefined()
      }
    }
  })

  test('is what was written, and can come under charge as it says', async () => {
    const from = await vaultOf(all)
    const { objects, car } = await imported(await exported(from, [top.id]))
    const to = await activeVault('to')
    for (const add of car.changes()) {
      await to.soup.commit({ epoch: 0, expect: { segments: car.segments }, objects: { add } })
    }
    expect(await exported({ soup: to.soup, objects }, [top.id])).toEqual(await exported(from, [top.id]))
  })

  test('says what is durable as it goes, and changes are short enough for a transaction', async () => {
    const leaves = Array.from({ length: 20_000 }, (_, i) => rawBlock(`${i}`))
    const nodes = Array.from({ length: 20 }, (_, i) =>
      linkingBlock(
        `${i}`,
        leaves.slice(i * 1_000, (i + 1) * 1_000).map(({ id }) => id),
      ),
    )
    const root = linkingBlock(
      'root',
      nodes.map(({ id }) => id),
    )
    const blocks = [root, ...nodes, ...leaves]
    const steps = await collect(importCar(inChunks(carOf([root.id], blocks)), { objects: createMemoryCas() }))
    const stored = steps.flatMap((step) => (step.type === 'stored' ? [step.blocks] : []))
    expect(stored).toEqual([4_096, 8_192, 12_288, 16_384, 20_021])
    const last = steps.at(-1)!
    if (last.type !== 'complete') throw new Error('no last step')
    const changes = [...last.car.changes()]
    expect(changes.length).toBeGreaterThan(1)
    for (const change of changes) expect(change.length).toBeLessThanOrEqual(16_384)
    expectLinksFirst(changes.flat())
    expect(last.car.objects).toBe(20_021)
  })

  test('must hold what was asked for, whatever roots it states itself', async () => {
    const bytes = carOf([leaf.id], [leaf, sha, empty, left])
    expect((await imported(bytes)).car).toMatchObject({ roots: [leaf.id], objects: 1, unreachable: 3 })
    expect((await imported(bytes, { roots: [left.id] })).car).toMatchObject({ roots: [left.id], objects: 4 })
    await expect(imported(bytes, { roots: [top.id] })).rejects.toMatchObject({
      code: 'TRANSFER_CAR_INCOMPLETE',
      details: { id: top.id, missing: 1 },
    })
  })

  test('with a chain of links deeper than calls can be', async () => {
    const chain = [rawBlock('end')]
    for (let i = 0; i < 20_000; i++) chain.push(linkingBlock(`${i}`, [chain.at(-1)!.id]))
    const { members } = await imported(carOf([chain.at(-1)!.id], chain.toReversed()))
    expect(members.map(({ id }) => id)).toEqual(chain.map(({ id }) => id))
  })

  test('is refused where the store acknowledges something else', async () => {
    const objects = createMemoryCas()
    const lying = {
      hasMany: objects.hasMany.bind(objects),
      getMany: objects.getMany.bind(objects),
      async *putMany(...args: Parameters<typeof objects.putMany>) {
        for await (const ack of objects.putMany(...args)) yield { ...ack, ids: ack.ids.slice(1) }
      },
    }
    await expect(collect(importCar(inChunks(carOf([leaf.id], [leaf])), { objects: lying }))).rejects.toMatchObject({
      code: 'TRANSFER_REFUSED',
    })
  })

  test('lets go of its source when it is left, and on an abort', async () => {
    let closed = 0
    async function* source() {
      try {
        yield* inChunks(carOf([top.id], all), 10)
      } finally {
        closed++
      }
    }
    for await (const _ of importCar(source(), { objects: createMemoryCas() })) break
    expect(closed).toBe(1)
    const controller = new AbortController()
    const reason = new Error('stop')
    async function* aborting() {
      controller.abort(reason)
      yield* source()
    }
    const steps = importCar(aborting(), { objects: createMemoryCas() }, { signal: controller.signal })
    await expect(collect(steps)).rejects.toBe(reason)
    expect(closed).toBe(2)
  })
})
