import { createSigner, encodeEnvelope, generateSecretKey, isVaultError, type Signer, systemRandom } from '@vault/core'
import { moveVault, planMigration } from '@vault/migration'
import { createNameCert, namePrincipal, openNameCert, thresholdPrincipal, vaultPrincipal } from '@vault/spki-caps'
import { expect, test } from 'vitest'
import { bringing, capEntries } from '../src/caps/cap-entry.ts'
import { heldOperators } from '../src/caps/cap-issuer.ts'
import {
  createVault,
  moveSourceOf,
  openMoveTarget,
  openVault,
  owner,
  readProofs,
  testedCaps,
  type Vault,
} from '../src/index.ts'
import { scratch } from './scratch.ts'

const [ana, ben, eva, hr] = Array.from({ length: 4 }, () => createSigner(generateSecretKey(systemRandom)))
if (!ana || !ben || !eva || !hr) throw new Error('there are four')
const bytes = (text: string) => new TextEncoder().encode(text)
const forever = { expires: null }

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => 'granted',
    (error) => (isVaultError(error) ? error.code : error),
  )
}

/** Whether this key may do it, or why not. */
async function asked(vault: Vault, { key }: Signer, action = 'write'): Promise<string> {
  const { verdict } = await vault.caps.ask([key], { action })
  return verdict.ok ? 'granted' : verdict.code
}

test('a group gains and loses members without a new grant, and moves with its vault', async () => {
  await using space = await scratch()
  const id = await createVault(space.at('A'), { passphrase: undefined })
  const staff = namePrincipal(vaultPrincipal(id), 'staff')
  const grant = { actions: ['write', 'migrate'], delegate: true }
  let membership: Awaited<ReturnType<Vault['nameCap']>>
  {
    await using vault = await openVault(space.at('A'))
    await vault.issueCap({ to: staff, ...grant, ...forever })
    expect(await asked(vault, ana)).toBe('CAPS_NO_CHAIN')
    membership = await vault.nameCap({ name: 'staff', to: ana.key, ...forever })
    expect(membership.name).toBe(`name:vault:${id}/staff`)
    await vault.nameCap({ name: 'staff', to: ben.key, ...forever })
    const { proof } = await vault.caps.ask([ana.key], { action: 'write' })
    expect(proof.map(({ record }) => record.type)).toEqual(['cap', 'cap-name'])
  }
  const before = await (async () => {
    await using vault = await openVault(space.at('A'), { as: [ben] })
    await vault.put(bytes('by ben'))
    const source = await moveSourceOf(vault)
    await using target = await openMoveTarget(space.at('B'))
    const parts = { source, target, authorize: vault.authorize }
    const plan = await planMigration(parts, { handoff: { keys: 'new' } })
    // What the old operators said counts under the new ones: it was in the vault before.
    for await (const _ of moveVault(plan, parts));
    return await vault.caps.whoCan({ action: 'write' })
  })()
  await using vault = await openVault(space.at('B'))
  expect([await asked(vault, ana), await asked(vault, ben)]).toEqual(['granted', 'granted'])
  const after = await vault.caps.whoCan({ action: 'write' })
  for (const { key } of [ana, ben]) {
    expect([before, after].map((held) => held.filter(({ subject }) => subject === key).length)).toEqual([1, 1])
  }
  await vault.revokeCap({ certificate: membership.id })
  expect([await asked(vault, ana), await asked(vault, ben)]).toEqual(['CAPS_REVOKED', 'granted'])
  await vault.nameCap({ name: 'staff', to: eva.key, ...forever })
  expect(await asked(vault, eva)).toBe('granted')
})

test('a hand-off does not lose a member unseen', async () => {
  await using space = await scratch()
  const id = await createVault(space.at('A'), { passphrase: undefined })
  await using vault = await openVault(space.at('A'))
  const house = vaultPrincipal(id)
  const grant = await vault.issueCap({ to: namePrincipal(house, 'staff'), actions: ['write'], ...forever })
  // Of this one nothing proves that it was there before the keys of the target.
  const keys = await vault.keys()
  const draft = {
    issuer: house,
    epoch: keys.seq,
    name: 'staff',
    subject: ana.key,
    expires: null,
    nonce: systemRandom(16),
  }
  const envelope = await createNameCert(draft, await heldOperators(vault.place, keys))
  const { entries } = await bringing(capEntries({ envelope, anchor: keys.seq + 1 }), vault.soup, {})
  await vault.soup.commit({ epoch: (await vault.soup.tenure()).epoch, ...(entries && { entries }) })
  expect(await asked(vault, ana)).toBe('granted')
  await using target = await openMoveTarget(space.at('B'))
  const parts = { source: await moveSourceOf(vault), target, authorize: owner }
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  await expect(Array.fromAsync(moveVault(plan, parts))).rejects.toMatchObject({
    code: 'MIGRATION_CHAINS_BROKEN',
    details: { broken: [openNameCert(envelope).id], gained: [] },
  })
  expect(grant.id).not.toBe(openNameCert(envelope).id)
  expect((await vault.soup.tenure()).state).toBe('active')
})

test('a name of a key is what that key says, once something was granted to it', async () => {
  await using space = await scratch()
  await createVault(space.at('v'), { passphrase: undefined })
  await using vault = await openVault(space.at('v'))
  const calling = { name: 'staff', to: ana.key, ...forever }
  expect(await codeOf(vault.nameCap(calling, { signers: [hr] }))).toBe('CAPS_DENIED')
  expect(await codeOf(vault.nameCap({ ...calling, name: 'Staff' }))).toBe('CAPS_PRINCIPAL_INVALID')
  const grant = await vault.issueCap({
    to: namePrincipal(hr.key, 'staff'),
    actions: ['read'],
    delegate: true,
    ...forever,
  })
  const { id, envelope } = await vault.nameCap(calling, { signers: [hr] })
  expect([await asked(vault, ana, 'read'), await asked(vault, ben, 'read')]).toEqual(['granted', 'CAPS_NO_CHAIN'])
  expect(readProofs([encodeEnvelope(envelope)]).certificates).toHaveLength(1)
  // Whoever is called so grants on what was granted to the name; nobody else does.
  await vault.attenuateCap(grant.id, { to: eva.key }, { signers: [ana] })
  expect(await asked(vault, eva, 'read')).toBe('granted')
  expect(await codeOf(vault.attenuateCap(grant.id, { to: eva.key }, { signers: [ben] }))).toBe('CAPS_DENIED')
  expect(await codeOf(vault.attenuateCap(id, { to: eva.key }, { signers: [hr] }))).toBe('CAPS_UNKNOWN')
  expect(await codeOf(vault.revokeCap({ certificate: id }, { signers: [ben] }))).toBe('CAPS_DENIED')
  await vault.revokeCap({ certificate: id }, { signers: [hr] })
  expect([await asked(vault, ana, 'read'), await asked(vault, eva, 'read')]).toEqual(['CAPS_REVOKED', 'CAPS_REVOKED'])
})

test('two members of a threshold are two people, whatever they are called', async () => {
  await using space = await scratch()
  const id = await createVault(space.at('v'), { passphrase: undefined })
  await using vault = await openVault(space.at('v'))
  const name = (word: string) => namePrincipal(vaultPrincipal(id), word)
  const both = thresholdPrincipal(2, [name('clerks'), name('staff')])
  await vault.issueCap({ to: both, actions: ['write'], ...forever })
  for (const word of ['clerks', 'staff']) await vault.nameCap({ name: word, to: ana.key, ...forever })
  expect(await asked(vault, ana)).not.toBe('granted')
  await vault.nameCap({ name: 'staff', to: ben.key, ...forever })
  const { verdict } = await vault.caps.ask([ana.key, ben.key], { action: 'write' })
  expect(verdict).toMatchObject({ ok: true })
})

test('what is tested is told beside names, which have no tests', async () => {
  await using space = await scratch()
  const id = await createVault(space.at('A'), { passphrase: undefined })
  await using vault = await openVault(space.at('A'))
  await vault.nameCap({ name: 'staff', to: ana.key, ...forever })
  const checks = [{ by: hr.key, maxAge: 60, kind: 'validation' as const }]
  const to = namePrincipal(vaultPrincipal(id), 'staff')
  const grant = await vault.issueCap({ to, actions: ['read'], checks, ...forever })
  const told = await testedCaps(vault.caps)
  expect(told).toMatchObject([{ certificate: grant.id, tests: [{ kind: 'validation', by: hr.key, holds: false }] }])
  // Both together: called so, and validated.
  expect(await asked(vault, ana, 'read')).toBe('CAPS_NOT_VALIDATED')
  await vault.validateCap(grant.id, new Date(Date.now() + 60_000), { signers: [hr] })
  expect(await asked(vault, ana, 'read')).toBe('granted')
})

test('what is granted to a longer name is for whom its middle calls so, and taken back by whoever granted it', async () => {
  await using space = await scratch()
  const id = await createVault(space.at('v'), { passphrase: undefined })
  await using vault = await openVault(space.at('v'))
  const deputy = namePrincipal(vaultPrincipal(id), 'lead', 'deputy')
  const calling = { name: 'deputy', to: ben.key, ...forever }
  await vault.issueCap({ to: deputy, actions: ['write'], ...forever })
  expect(await codeOf(vault.nameCap(calling, { signers: [ana] }))).toBe('CAPS_DENIED')
  await vault.nameCap({ name: 'lead', to: ana.key, ...forever })
  expect(await codeOf(vault.nameCap({ ...calling, name: 'friend' }, { signers: [ana] }))).toBe('CAPS_DENIED')
  await vault.nameCap(calling, { signers: [ana] })
  expect(await asked(vault, ben)).toBe('granted')

  for (const { key } of [eva, hr]) await vault.issueCap({ to: key, actions: ['read'], delegate: true, ...forever })
  const long = { to: namePrincipal(hr.key, 'lead', 'deputy'), actions: ['read'], ...forever }
  await vault.issueCap(long, { signers: [eva] })
  const lead = await vault.nameCap({ name: 'lead', to: ana.key, ...forever }, { signers: [hr] })
  expect(await asked(vault, ben, 'read')).toBe('granted')
  expect(await codeOf(vault.revokeCap({ certificate: lead.id }, { signers: [ben] }))).toBe('CAPS_DENIED')
  await vault.revokeCap({ certificate: lead.id }, { signers: [eva] })
  expect(await asked(vault, ben, 'read')).not.toBe('granted')
})
