import { type ContentId, contentId, utf8, type VaultId } from '@vault/core'
import { owner, sourceOf, type Vault } from '@vault/embedded'
import { planMigration, type Receiving, runMigration } from '@vault/migration'
import type { HttpTarget } from '@vault/migration/http'
import { expect, test } from 'vitest'
import { anyKey, reach, scratch, serve, vaultIn } from './served.ts'

const [FIRST, SECOND] = ['1'.repeat(32), '2'.repeat(32)] as const
const ONLY_IN_A = utf8('what only the vault A has')

/** A server opened for a copy of this vault. */
async function open(target: HttpTarget, vault: Vault, migration: string): Promise<Receiving> {
  const keyEvents = await vault.place.soups.tenures.keyEvents(vault.id)
  return await target.receive({ vault: vault.id, keyEvents, migration })
}

/** What a promise gives, or the refusal that it gives in its place, the name of the object taken out of it. */
async function answer(asked: Promise<unknown>, id: ContentId): Promise<unknown> {
  const said = await asked.catch(({ code, message }: { code: string; message: string }) => ({ code, message }))
  return JSON.parse(JSON.stringify(said).replaceAll(id, '…'))
}

/** Everything that a client can ask about an object in the name of a vault. */
async function asksAbout(
  { target, receiving, vault }: { target: HttpTarget; receiving: Receiving; vault: VaultId },
  { id, size }: { readonly id: ContentId; readonly size: number },
): Promise<Readonly<Record<string, unknown>>> {
  const nonce = new Uint8Array(32)
  const batch = { migration: SECOND, segments: [] }
  const adding = (bytes: number) =>
    answer(receiving.intake.receive({ ...batch, objects: { add: [{ id, size: bytes, links: [] }] } }), id)
  return {
    adding: await adding(size),
    addingLonger: await adding(size + 1),
    holding: await answer(receiving.intake.receive({ ...batch, hold: [{ id, size }] }), id),
    proof: await answer(target.prove({ vault, migration: SECOND, batch: 1, id, nonce }), id),
    rehash: (await target.rehash({ vault, migration: SECOND, ids: [id], nonce })) ?? null,
    has: await receiving.objects.hasMany([id]),
    read: await answer(Array.fromAsync(receiving.objects.getMany([[id]])), id),
    charged: await receiving.soup.charged([id]),
    holds: await receiving.soup.holds([id]),
  }
}

test('a client of one vault learns, proves, holds and takes nothing that only another vault has', async () => {
  await using folder = await scratch()
  const { vault: a, place: keyOfA } = await vaultIn(folder.at('a'), 1)
  await using _ = a
  const { vault: b, place: keyOfB } = await vaultIn(folder.at('b'), 1)
  await using __ = b
  await using server = await serve(folder.at('served'), { allow: [keyOfA.key, keyOfB.key] })
  await using toA = await reach(server, keyOfA, a.id)
  await using toB = await reach(server, keyOfB, b.id)
  // Both while the place is empty.
  const receivingB = await open(toB, b, SECOND)
  const receivingA = await open(toA, a, FIRST)
  const object = { id: contentId(ONLY_IN_A), size: ONLY_IN_A.length }
  const [ack] = await Array.fromAsync(receivingA.objects.putMany([[{ id: object.id, bytes: ONLY_IN_A }]]))
  const stored = { migration: FIRST, segments: ack === undefined ? [] : [ack.segment] }
  const ofB = { target: toB, receiving: receivingB, vault: b.id }
  const none = { id: contentId(utf8('what is nowhere')), size: ONLY_IN_A.length }
  const nothing = await asksAbout(ofB, none)
  expect(nothing).toMatchObject({
    adding: { code: 'SOUP_NOT_STORED' },
    addingLonger: { code: 'SOUP_NOT_STORED' },
    holding: { code: 'SOUP_NOT_STORED' },
    proof: { code: 'MIGRATION_TARGET_LIES' },
    rehash: null,
    has: [false],
    charged: [false],
    holds: [false],
  })
  // Stored for A; then under its charge.
  expect(await asksAbout(ofB, object)).toEqual(nothing)
  await receivingA.intake.receive({ ...stored, objects: { add: [{ ...object, links: [] }] } })
  expect(await asksAbout(ofB, object)).toEqual(nothing)
  // The same key, which has stored it in the name of A.
  await using same = await reach(server, keyOfA, b.id)
  expect(await asksAbout({ ...ofB, target: same }, object)).toEqual(nothing)

  const nonce = new Uint8Array(32)
  expect(await toA.rehash({ vault: a.id, migration: FIRST, ids: [object.id], nonce })).toBeDefined()
  await toA.prove({ vault: a.id, migration: FIRST, batch: 1, id: object.id, nonce })
  // Whoever shows the bytes has it.
  await Array.fromAsync(receivingB.objects.putMany([[{ id: object.id, bytes: ONLY_IN_A }]]))
  await receivingB.intake.receive({ migration: SECOND, segments: [], hold: [object] })
  expect(await receivingB.soup.holds([object.id])).toEqual([true])
})

test('what a server forgot when it began anew is sent again by the next run, and a batch that was taken is not asked for', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 6)
  await using _ = vault
  const source = sourceOf(vault)
  const members = await vault.place.soups.soup(vault.id).members({ limit: 64 })
  const ids = members.map(({ id }) => id)
  const blocks = (await Array.fromAsync(vault.place.objects.getMany([ids]))).flatMap((each) => each.blocks)
  const batch = { migration: FIRST, segments: [] }
  const [first] = members
  if (first === undefined) throw new Error('The vault is empty.')
  const { key: _key, ...add } = first
  let port: number
  {
    await using server = await serve(folder.at('b'), { allow: [place.key] })
    port = Number(new URL(server.url).port)
    await using target = await reach(server, place, vault.id)
    const receiving = await open(target, vault, FIRST)
    await Array.fromAsync(receiving.objects.putMany([blocks]))
    await receiving.intake.receive({ ...batch, objects: { add: [add] } })
  }
  await using server = await serve(folder.at('b'), { allow: [place.key], port })
  await using target = await reach(server, place, vault.id)
  const receiving = await open(target, vault, FIRST)
  const rest = members.slice(1).map(({ key: _, ...member }) => member)
  await expect(receiving.intake.receive({ ...batch, objects: { add: rest } })).rejects.toMatchObject({
    code: 'SOUP_NOT_STORED',
  })
  // The vault has it, so its bytes tell what it is.
  await receiving.intake.receive({ ...batch, objects: { add: [add] } })
  const parts = { source, target, authorize: owner }
  const plan = await planMigration(parts)
  const sent: number[] = []
  for await (const event of runMigration(plan, parts)) {
    if (event.type === 'summary') sent.push(event.summary.sent.objects)
  }
  expect(sent).toEqual([members.length - 1])
})

test('whoever may ask about a vault that is not there is told nothing of one that is', async () => {
  await using folder = await scratch()
  const { vault } = await vaultIn(folder.at('a'), 2)
  await using _ = vault
  const client = anyKey()
  const other = contentId(utf8('another vault'), { hash: 'sha2-256', codec: 'dag-cbor' }) as VaultId
  await using server = await serve(folder.at('a'), {
    authorize: async ({ action, object }) => {
      if (object !== other) throw new Error('not this one')
      return { action, object, proven: true }
    },
  })
  await using target = await reach(server, client, other)
  const [member] = await vault.place.soups.soup(vault.id).members({ limit: 1 })
  const id = member?.id as ContentId
  const nonce = new Uint8Array(32)
  await expect(target.prove({ vault: other, migration: FIRST, batch: 1, id, nonce })).rejects.toMatchObject({
    code: 'MIGRATION_TARGET_LIES',
  })
  expect(await target.rehash({ vault: other, migration: FIRST, ids: [id], nonce })).toBeUndefined()
})
