import { type ContentId, createSigner, generateSecretKey, type KeyId, type Signer, systemRandom } from '@vault/core'
import { moveVault, planMigration, resumeMove } from '@vault/migration'
import {
  createCapCert,
  type OnlineTest,
  openCapCert,
  thresholdPrincipal,
  vaultPrincipal,
  vaultTag,
} from '@vault/spki-caps'
import { expect, test } from 'vitest'
import { bringing, capEntries } from '../src/caps/cap-entry.ts'
import { heldOperators } from '../src/caps/cap-issuer.ts'
import { createVault, moveSourceOf, openMoveTarget, openVault, owner, type Vault } from '../src/index.ts'
import { scratch } from './scratch.ts'

const newSigner = () => createSigner(generateSecretKey(systemRandom))

/** Brings in a certificate of the present operators of which nothing proves that it was there before the next key event. */
async function grantUnproven(vault: Vault, subject: KeyId, checks: readonly OnlineTest[] = []): Promise<ContentId> {
  const keys = await vault.keys()
  const tag = vaultTag({ actions: ['write'], object: vault.id })
  const draft = {
    issuer: vaultPrincipal(vault.id),
    epoch: keys.seq,
    subject,
    tag,
    expires: null,
    checks,
    nonce: systemRandom(16),
  }
  const envelope = await createCapCert(draft, await heldOperators(vault.place, keys))
  const { entries } = await bringing(capEntries({ envelope, anchor: keys.seq + 1 }), vault.soup, {})
  await vault.soup.commit({ epoch: (await vault.soup.tenure()).epoch, ...(entries && { entries }) })
  return openCapCert(envelope).id
}

/** Councils all of whose members grant to the next one: 5 to the power of 6 ways go to the last. */
async function grantManyWays(vault: Vault, from: Signer): Promise<void> {
  const layers = Array.from({ length: 7 }, () => Array.from({ length: 5 }, newSigner))
  const { seq } = await vault.keys()
  const tag = vaultTag({ actions: ['write'], object: vault.id })
  const grants = layers.flatMap((members, i) => {
    const subject = thresholdPrincipal(
      2,
      members.map(({ key }) => key),
    )
    return (layers[i - 1] ?? [from]).map(async (signer) => {
      const draft = { issuer: signer.key, subject, tag, delegate: true, expires: null, nonce: systemRandom(16) }
      return capEntries({ envelope: await createCapCert(draft, [signer]), anchor: seq })
    })
  })
  const { entries } = await bringing((await Promise.all(grants)).flat(), vault.soup, {})
  await vault.soup.commit({ epoch: (await vault.soup.tenure()).epoch, ...(entries && { entries }) })
}

test('a chain that breaks with the keys of the target stops the move, unless it is allowed to', async () => {
  await using space = await scratch()
  const [a, b] = [space.at('a'), space.at('b')]
  const [ana, eva] = [newSigner(), newSigner()]
  await createVault(a, { passphrase: undefined })
  await using vault = await openVault(a)
  await vault.issueCap({ to: eva.key, actions: ['write'], expires: null })
  const first = await grantUnproven(vault, ana.key)
  await using target = await openMoveTarget(b)
  const parts = { source: await moveSourceOf(vault), target, authorize: owner }
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  await expect(Array.fromAsync(moveVault(plan, parts))).rejects.toMatchObject({
    code: 'MIGRATION_CHAINS_BROKEN',
    details: { broken: [first], gained: [], unlisted: [] },
  })
  expect((await vault.soup.tenure()).state).toBe('active')
  const sent = await target.open({ vault: vault.id, migration: plan.migration_id, driver: 1 })
  expect(await sent.soup.entriesAfter({ limit: 1 })).toEqual([])

  const resume = async (allowBroken: readonly string[], meanwhile?: () => Promise<unknown>) => {
    for await (const event of resumeMove(plan.migration_id, { ...parts, allowBroken }))
      if (event.type === 'step' && event.step.effect === 'copy') await meanwhile?.()
  }
  // What is granted while it moves is judged before the hand-off.
  let later = ''
  const granting = async () => {
    later = await grantUnproven(vault, newSigner().key)
  }
  await expect(resume([first], granting)).rejects.toMatchObject({ code: 'MIGRATION_CHAINS_BROKEN' })
  expect((await vault.soup.tenure()).state).toBe('active')
  await resume([first, later])

  await using moved = await openVault(b)
  const told: unknown[] = []
  const log = await moved.log.read()
  for await (const page of log.entries())
    told.push(
      ...page.filter(({ entry }) => entry.action.verb === 'authority-diff').map(({ entry }) => entry.action.parameters),
    )
  expect(told).toMatchObject([{ broken: 2, chains: [{}, {}] }])
  await using hers = await openVault(b, { as: [eva] })
  await hers.put(new TextEncoder().encode('hers goes on'))
  await using his = await openVault(b, { as: [ana] })
  await expect(his.put(new TextEncoder().encode('his does not'))).rejects.toMatchObject({ code: 'CAPS_DENIED' })
})

test('what was granted on and not judged stops it as well, until it, or what it goes on from, is allowed', async () => {
  await using space = await scratch()
  const ana = newSigner()
  await createVault(space.at('a'), { passphrase: undefined })
  await using vault = await openVault(space.at('a'))
  const { id: above } = await vault.issueCap({ to: ana.key, actions: ['write'], expires: null, delegate: true })
  await grantManyWays(vault, ana)
  await using target = await openMoveTarget(space.at('b'))
  const parts = { source: await moveSourceOf(vault), target, authorize: owner }
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  await expect(Array.fromAsync(moveVault(plan, parts))).rejects.toMatchObject({
    code: 'MIGRATION_CHAINS_BROKEN',
    message: expect.stringContaining('So much was granted on from these that not all of it was judged'),
    details: { broken: [], gained: [], unlisted: expect.arrayContaining([expect.stringMatching(/^b/)]) },
  })
  expect((await vault.soup.tenure()).state).toBe('active')
  await Array.fromAsync(resumeMove(plan.migration_id, { ...parts, allowBroken: [above] }))
  await using moved = await openVault(space.at('b'))
  const told: unknown[] = []
  const log = await moved.log.read()
  for await (const page of log.entries())
    for (const { entry } of page) if (entry.action.verb === 'authority-diff') told.push(entry.action.parameters)
  expect(told).toMatchObject([{ broken: 0, unlisted: expect.any(Number), unlisted_chains: expect.any(Array) }])
})

test.each(['validation', 'once'] as const)('so does one that waits for a validation: %s', async (kind) => {
  await using space = await scratch()
  const [ana, eva] = [newSigner(), newSigner()]
  await createVault(space.at('a'), { passphrase: undefined })
  await using vault = await openVault(space.at('a'))
  const waiting = await grantUnproven(vault, ana.key, [{ by: eva.key, maxAge: 600, kind }])
  await using target = await openMoveTarget(space.at('b'))
  const parts = { source: await moveSourceOf(vault), target, authorize: owner }
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  await expect(Array.fromAsync(moveVault(plan, parts))).rejects.toMatchObject({
    code: 'MIGRATION_CHAINS_BROKEN',
    details: { broken: [waiting], gained: [], unlisted: [] },
  })
})
