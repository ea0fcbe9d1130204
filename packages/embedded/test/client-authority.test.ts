import { createSigner, type Envelope, encodeEnvelope, generateSecretKey, type Signer, systemRandom } from '@vault/core'
import { moveVault, type ProvingTarget, planMigration, runMigration } from '@vault/migration'
import { createCapCert, openRevocation, openRevocationSet, type Tag } from '@vault/spki-caps'
import { expect, test } from 'vitest'
import {
  ClientAuthority,
  createVault,
  issuePlaceGrant,
  moveSourceOf,
  moveTargetAt,
  NOTHING_SHOWN,
  openKey,
  openMoveTarget,
  openOrCreatePlace,
  openTarget,
  openVault,
  owner,
  proofsOf,
  readProofs,
  seatOf,
  sourceOf,
  type Vault,
} from '../src/index.ts'
import { scratch } from './scratch.ts'

const [operator, client, other] = Array.from({ length: 3 }, () => createSigner(generateSecretKey(systemRandom)))
if (!operator || !client || !other) throw new Error('there are three')

const denied = (code: string) => ({ code: 'CAPS_DENIED', details: { code } })
const shown = (...envelopes: readonly Envelope[]) => readProofs(envelopes.map((envelope) => encodeEnvelope(envelope)))

async function vaultIn(dir: string): Promise<Vault> {
  await createVault(dir, { passphrase: undefined })
  return await openVault(dir)
}

/** A certificate for any vault, of a key that need not hold what it grants. */
async function issued(tag: Tag, issuer: Signer, to: Signer): Promise<Envelope> {
  const draft = { issuer: issuer.key, subject: to.key, tag, delegate: true, expires: null, nonce: systemRandom(16) }
  return await createCapCert(draft, [issuer])
}

test('a place grants that vaults are brought to it, and nothing else', async () => {
  await using space = await scratch()
  await using vault = await vaultIn(space.at('a'))
  await using at = await vaultIn(space.at('place'))
  const authority = new ClientAuthority(at.place, { trust: [operator.key] })
  const ask = (action: string, envelope: Envelope, id = vault.id) =>
    authority.judge({ key: client.key, action, vault: id, proofs: shown(envelope) })
  const everything = await issued('*', operator, client)
  expect(await ask('write', everything)).toMatchObject({ action: 'write', object: vault.id, proven: true })
  await expect(ask('migrate', everything)).rejects.toMatchObject(denied('CAPS_NO_CHAIN'))
  await expect(ask('migrate', everything, at.id)).rejects.toThrow(
    /^(?!.*--place).*caps issue DIR --to KEY --action migrate/,
  )
  await expect(ask('receive-part', everything, at.id)).rejects.toThrow(/^(?!.*--place).*\(--allow-parts\)/)
  await expect(ask('write', await issued('*', other, client))).rejects.toThrow('caps issue --place')
  await expect(ask('receive-part', everything, at.id)).rejects.toMatchObject(denied('CAPS_NO_ROOT'))
  await expect(ask('write', await issued(['vault', 'migrate', '*'], operator, client))).rejects.toMatchObject(
    denied('CAPS_TAG_EMPTY'),
  )
  await expect(ask('write', await issued('*', other, client))).rejects.toMatchObject(denied('CAPS_NO_ROOT'))
  // On any vault is not on one that is here already.
  await expect(ask('write', everything, at.id)).rejects.toMatchObject(denied('CAPS_NOT_COVERED'))
})

test('what the key of a place signs is about the place: it grants nothing on by what a vault has granted it', async () => {
  await using space = await scratch()
  await using vault = await vaultIn(space.at('a'))
  const { place } = vault
  const signer = await openKey({ dir: place.dir, role: 'place', key: place.info.key })
  const authority = new ClientAuthority(place)
  const { envelope } = await issuePlaceGrant({ to: client.key, expires: null }, signer)
  const proofs = shown(envelope, ...(await rootOf(vault)))
  await expect(authority.judge({ key: client.key, action: 'write', vault: vault.id, proofs })).rejects.toMatchObject(
    denied('CAPS_NOT_COVERED'),
  )
  await expect(authority.judge({ key: client.key, action: 'migrate', vault: vault.id, proofs })).rejects.toMatchObject({
    code: 'CAPS_DENIED',
  })
})

test('of two who begin at once, the vault is brought by the one by whose migration it comes', async () => {
  await using space = await scratch()
  await using vault = await vaultIn(space.at('a'))
  await using at = await vaultIn(space.at('place'))
  const authority = new ClientAuthority(at.place, { trust: [operator.key] })
  const mine = { key: client.key, vault: vault.id, action: 'write', proofs: shown(await issued('*', operator, client)) }
  const theirs = { ...mine, key: other.key, proofs: shown(await issued('*', operator, other)) }
  for (const each of [mine, theirs]) await authority.judge(each)
  const migration = '1'.repeat(32)
  await authority.brings({ ...mine, migration })
  await authority.brings({ ...theirs, migration: '2'.repeat(32) })
  const { tenures } = at.place.soups
  const keyEvents = await sourceOf(vault).keyEvents()
  const to = { state: 'receiving', epoch: 0, migration, keyEvents } as const
  await tenures.transition(vault.id, { state: 'none', epoch: 0 }, to)
  expect(await authority.judge(mine)).toMatchObject({ proven: true })
  await expect(authority.judge(theirs)).rejects.toMatchObject(denied('CAPS_NOT_COVERED'))
  // Who asks for the same one later has not brought it either.
  await authority.brings({ ...theirs, migration })
  expect(await authority.judge(mine)).toMatchObject({ proven: true })
  await expect(authority.judge(theirs)).rejects.toMatchObject(denied('CAPS_NOT_COVERED'))
})

test('who brought a vault that has left again may bring it back', async () => {
  await using space = await scratch()
  await using vault = await vaultIn(space.at('a'))
  const at = await openOrCreatePlace(space.at('place'))
  await using _ = at
  const authority = new ClientAuthority(at, { trust: [operator.key] })
  const proofs = shown(await issued('*', operator, client))
  const ask = () => authority.judge({ key: client.key, vault: vault.id, action: 'write', proofs })
  const move = async (from: Vault, target: ProvingTarget, brings: (migration: string) => Promise<void>) => {
    const parts = { source: await moveSourceOf(from), target, authorize: owner }
    const plan = await planMigration(parts, { handoff: { keys: 'new' } })
    await brings(plan.migration_id)
    for await (const _ of moveVault(plan, parts));
  }
  await move(vault, moveTargetAt(at, await seatOf(at)), (migration) =>
    authority.brings({ key: client.key, vault: vault.id, migration }),
  )
  expect((await at.soups.tenures.read(vault.id)).state).toBe('active')
  await using back = await openMoveTarget(space.at('a'))
  await using there = await openVault(space.at('place'))
  await move(there, back, async () => {})
  expect((await at.soups.tenures.read(vault.id)).state).toBe('retired')
  expect(await ask()).toMatchObject({ proven: true })
})

async function rootOf(vault: Vault): Promise<readonly Envelope[]> {
  const root = await vault.caps.rootCertificate()
  return root === undefined ? [] : [root]
}

test('what a vault grants counts when it has come, and not while it comes for the first time', async () => {
  await using space = await scratch()
  await using vault = await vaultIn(space.at('a'))
  await vault.put(new TextEncoder().encode('some bytes'))
  const { key } = vault.place.info
  const proofs = readProofs(await proofsOf(vault, 'write'))
  const at = await vaultIn(space.at('place'))
  const authority = new ClientAuthority(at.place)
  await using _ = at
  const ask = () => authority.judge({ key, action: 'write', vault: vault.id, proofs })
  await expect(ask()).rejects.toMatchObject(denied('CAPS_NO_ROOT'))
  await using target = await openTarget(space.at('place'))
  const parts = { source: sourceOf(vault), target, authorize: owner }
  const plan = await planMigration(parts)
  for await (const event of runMigration(plan, parts)) {
    if (event.type === 'statement') await expect(ask()).rejects.toMatchObject(denied('CAPS_NO_ROOT'))
  }
  expect(await ask()).toMatchObject({ proven: true })
  // Coming again, it is still a vault of this place.
  for await (const event of runMigration(await planMigration(parts), parts)) {
    if (event.type === 'statement') expect(await ask()).toMatchObject({ proven: true })
  }
  await expect(
    authority.judge({ key: client.key, action: 'write', vault: vault.id, proofs: NOTHING_SHOWN }),
  ).rejects.toMatchObject(denied('CAPS_NO_CHAIN'))
})

test('of many sets and revocations, the last set and the latest revocations are shown', async () => {
  await using space = await scratch()
  let now = Date.now()
  const clock = () => new Date(now)
  await createVault(space.at('a'), { passphrase: undefined })
  await using vault = await openVault(space.at('a'), { clock })
  const publish = async () => {
    const { until } = await vault.publishRevocations(new Date(now + 10_000))
    now = until.getTime()
  }
  for (let i = 0; i < 33; i++) await publish()
  now -= 1_000
  const few = readProofs(await proofsOf(vault, 'write'))
  expect([few.certificates.length, few.sets.length]).toEqual([1, 1])
  expect(few.sets.map((set) => openRevocationSet(set).record.seq)).toEqual([32])
  const revoked: string[] = []
  for (let i = 0; i < 33; i++) {
    now += 1_000
    revoked.unshift((await vault.revokeCap({ key: createSigner(generateSecretKey(systemRandom)).key })).id)
  }
  await publish()
  now -= 1_000
  const many = readProofs(await proofsOf(vault, 'write'))
  expect([many.certificates.length, many.sets.length, many.revocations.length]).toEqual([1, 1, 30])
  expect(many.revocations.map((each) => openRevocation(each).id)).toEqual(revoked.slice(0, 30))
})

test('what is no proof is refused, and so is a revocation that is none', () => {
  expect(() => readProofs([new Uint8Array([1, 2, 3])])).toThrow(
    expect.objectContaining({ code: 'CAPS_RECORD_INVALID' }),
  )
})
