import { readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BulkCasReader } from '@vault/cas'
import { type ContentId, contentId, decodeEnvelope, encodeEnvelope, utf8 } from '@vault/core'
import { openKey, owner, sourceOf } from '@vault/embedded'
import {
  parseRehash,
  planMigration,
  type RehashingTarget,
  rehashObjects,
  runMigration,
  signRehash,
  verifyCertificate,
  verifyMigration,
} from '@vault/migration'
import type { HttpTarget } from '@vault/migration/http'
import { expect, test } from 'vitest'
import { anyKey, moveTo, reach, scratch, serve, vaultIn } from './served.ts'

test('what a server proves of its own store is not read back, and certificate and report say who verified', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 40)
  await using _ = vault
  await using server = await serve(folder.at('b'), { allow: [place.key] })
  await using target = await reach(server, place, vault.id)
  const counted = countingReads(target)
  const { verification, certificate, statement } = await moveTo(vault, counted.target)
  expect(verification?.coverage).toEqual({ mode: 'proven', objects: statement?.counts.objects })
  expect(verification?.checked.bytes).toBeGreaterThanOrEqual(statement?.counts.bytes ?? Number.NaN)
  // The few blocks that the hand-off itself adds are read back as they are sent.
  expect(counted.read()).toBeLessThan(5)
  expect(verifyCertificate(certificate as Uint8Array).consistent).toBe(true)
})

test('whoever wants it read back reads it back', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 20)
  await using _ = vault
  await using server = await serve(folder.at('b'), { allow: [place.key] })
  await using target = await reach(server, place, vault.id)
  const parts = { source: sourceOf(vault), target, authorize: owner }
  const plan = await planMigration(parts)
  expect(await coverageOf(runMigration(plan, parts, { reread: true }))).toEqual({ mode: 'full' })
  expect((await verifyMigration(plan, parts)).coverage.mode).toBe('proven')
  expect((await verifyMigration(plan, parts, { reread: true })).coverage).toEqual({ mode: 'full' })
})

test('the word of a target that proves nothing is worth nothing: its objects are read back', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 20)
  await using _ = vault
  await using server = await serve(folder.at('b'), { allow: [place.key] })
  await using target = await reach(server, place, vault.id)
  const source = sourceOf(vault)
  const clock = () => new Date()
  const own = await openKey({ dir: folder.at('b'), role: 'place', key: server.key })
  const resigned = (change: object, key = anyKey()): RehashingTarget['rehash'] => {
    return async (request, options) => {
      const said = parseRehash(decodeEnvelope((await target.rehash(request, options)) as Uint8Array).payload)
      return encodeEnvelope(await signRehash({ ...said, ...change }, key))
    }
  }
  const lies: readonly RehashingTarget['rehash'][] = [
    async () => undefined,
    // Somebody else's word.
    resigned({}),
    // An echo of another question.
    (request, options) => target.rehash({ ...request, nonce: new Uint8Array(32) }, options),
    (request, options) => target.rehash({ ...request, ids: request.ids.slice(1) }, options),
    (request, options) => target.rehash({ ...request, migration: '0'.repeat(32) }, options),
    // What an honest place that has everything hashed under its own key, signed again with this one.
    async (request) => {
      const said = await rehashObjects({ objects: vault.place.objects, key: place, clock }, request)
      const { payload } = decodeEnvelope(said as Uint8Array)
      return encodeEnvelope(await signRehash(parseRehash(payload), own))
    },
  ]
  for (const rehash of lies) {
    const parts = { source, target: { ...target, rehash }, authorize: owner }
    await coverageOf(runMigration(await planMigration(parts), parts))
    const report = await verifyMigration(await planMigration(parts), parts)
    expect(report).toMatchObject({ ok: true, coverage: { mode: 'full' } })
  }
})

test('a store that has other bytes proves nothing, and objects of other vaults are not spoken of', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 5)
  await using _ = vault
  const [member] = await vault.place.soups.soup(vault.id).members({ limit: 1 })
  const id = member?.id as ContentId
  const request = { vault: vault.id, migration: '1'.repeat(32), ids: [id], nonce: new Uint8Array(32).fill(7) }
  const clock = () => new Date()
  const rotten: BulkCasReader = {
    hasMany: async (ids) => ids.map(() => true),
    async *getMany() {
      yield { blocks: [{ id, bytes: new Uint8Array([1, 2, 3]) }], absent: [], damaged: [] }
    },
  }
  expect(await rehashObjects({ objects: rotten, key: place, clock }, request)).toBeUndefined()
  expect(await rehashObjects({ objects: vault.place.objects, key: place, clock }, request)).toBeDefined()
  await using server = await serve(folder.at('b'), { allow: [place.key] })
  await using target = await reach(server, place, vault.id)
  expect(await target.rehash(request)).toBeUndefined()
})

test('a pack that is gone, or is another file, proves nothing while the server still has it open', async () => {
  await using folder = await scratch()
  const { vault } = await vaultIn(folder.at('a'), 5)
  await using _ = vault
  const key = anyKey()
  await using server = await serve(folder.at('a'), { allow: [key.key] })
  await using target = await reach(server, key, vault.id)
  const ids = (await vault.place.soups.soup(vault.id).members({ limit: 64 })).map(({ id }) => id)
  const request = { vault: vault.id, migration: '1'.repeat(32), ids, nonce: new Uint8Array(32).fill(7) }
  const proof = {
    vault: vault.id,
    migration: request.migration,
    batch: 1,
    id: ids[0] as ContentId,
    nonce: request.nonce,
  }
  const proves = async () => ({
    rehash: (await target.rehash(request)) !== undefined,
    possession: await target.prove(proof).then(
      () => true,
      () => false,
    ),
    read: (await Array.fromAsync((await target.look(vault.id)).objects.getMany([ids]))).flatMap(({ blocks }) => blocks)
      .length,
  })
  const objects = join(folder.at('a'), 'objects')
  const packs = (await readdir(objects)).filter((name) => name.endsWith('.pack')).map((name) => join(objects, name))
  const all = { rehash: true, possession: true, read: ids.length }
  const nothing = { rehash: false, possession: false, read: 0 }
  expect(await proves()).toEqual(all)
  for (const pack of packs) await rename(pack, `${pack}.away`)
  expect(await proves()).toEqual(nothing)
  for (const pack of packs) await rename(`${pack}.away`, pack)
  expect(await proves()).toEqual(all)
  for (const pack of packs) {
    await rename(pack, `${pack}.away`)
    await writeFile(pack, new Uint8Array(64 * 1024))
  }
  expect(await proves()).toEqual(nothing)
})

test('a question is bounded, and costs what it is about', async () => {
  await using folder = await scratch()
  const { vault } = await vaultIn(folder.at('a'), 1)
  await using _ = vault
  const ask = (count: number) => ({
    vault: vault.id,
    migration: '1'.repeat(32),
    ids: Array.from({ length: count }, (_, i) => contentId(utf8(`object ${i}`))),
    nonce: new Uint8Array(32),
  })
  const key = anyKey()
  await using server = await serve(folder.at('a'), { allow: [key.key], limits: { perSecond: 8 } })
  await using target = await reach(server, key, vault.id)
  await expect(target.rehash(ask(4_097))).rejects.toMatchObject({ code: 'HTTP_REQUEST_INVALID' })
  expect(await target.rehash(ask(4_096))).toBeUndefined()
  await expect(target.look(vault.id)).rejects.toMatchObject({ code: 'HTTP_LIMIT' })
})

test('an object that is named twice is read once', async () => {
  const id = contentId(utf8('object'))
  let read = 0
  const objects: BulkCasReader = {
    hasMany: async (ids) => ids.map(() => true),
    async *getMany(batches) {
      for await (const ids of batches) {
        read += ids.length
        yield { blocks: [{ id, bytes: utf8('object') }], absent: [], damaged: [] }
      }
    },
  }
  const request = { vault: id, migration: '1'.repeat(32), ids: [id, id, id], nonce: new Uint8Array(32) }
  const said = await rehashObjects({ objects, key: anyKey(), clock: () => new Date() }, request)
  expect(parseRehash(decodeEnvelope(said as Uint8Array).payload).objects).toBe(3)
  expect(read).toBe(1)
})

async function coverageOf(events: ReturnType<typeof runMigration>): Promise<unknown> {
  for await (const event of events) if (event.type === 'summary') return event.summary.verification.coverage
  throw new Error('The run ended without a word.')
}

/** The target, and how many objects are read back from it. */
function countingReads(target: HttpTarget): { readonly target: HttpTarget; readonly read: () => number } {
  let read = 0
  const open: HttpTarget['open'] = async (...asked) => {
    const receiving = await target.open(...asked)
    const { objects } = receiving
    return {
      ...receiving,
      objects: {
        ...objects,
        async *getMany(...of) {
          for await (const batch of objects.getMany(...of)) {
            read += batch.blocks.length
            yield batch
          }
        },
      },
    }
  }
  return { target: { ...target, open }, read: () => read }
}
