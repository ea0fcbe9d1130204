import { createSigner, type Envelope, encodeEnvelope, generateSecretKey, type Signer, systemRandom } from '@vault/core'
import { planMigration, runMigration } from '@vault/migration'
import { createCapCert, type Tag } from '@vault/spki-caps'
import { expect, test } from 'vitest'
import {
  ClientAuthority,
  createVault,
  issuePlaceGrant,
  NOTHING_SHOWN,
  openKey,
  openTarget,
  openVault,
  owner,
  proofsOf,
  readProofs,
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

test('what is no proof is refused, and so is a revocation that is none', () => {
  expect(() => readProofs([new Uint8Array([1, 2, 3])])).toThrow(
    expect.objectContaining({ code: 'CAPS_RECORD_INVALID' }),
  )
})
