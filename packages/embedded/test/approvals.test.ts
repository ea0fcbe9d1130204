import {
  type Authorize,
  type ContentId,
  contentId,
  createSigner,
  encodeEnvelope,
  isVaultError,
  type Signer,
  utf8,
} from '@vault/core'
import { moveVault, type Plan, planId, planMigration, resumeMove, rollBackMove } from '@vault/migration'
import { createApproval, createStandingMandate, openApproval, vaultPrincipal } from '@vault/spki-caps'
import { expect, test } from 'vitest'
import { createVault, moveSourceOf, moveStatuses, openMoveTarget, openVault, type Vault } from '../src/index.ts'
import { scratch } from './scratch.ts'

const [ana, ben, eva, mia] = [1, 2, 3, 4].map((n) => createSigner(new Uint8Array(32).fill(n))) as [
  Signer,
  Signer,
  Signer,
  Signer,
]
const PLAN: ContentId = contentId(utf8('a plan'), { hash: 'sha2-256', codec: 'dag-cbor' })
const soon = () => new Date(Date.now() + 60_000)

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => 'done',
    (error) => (isVaultError(error) ? error.code : error),
  )
}

/** A vault in which ana, ben and eva may approve, and ben may move it. */
async function vaultWith(dir: string, approvals: number): Promise<void> {
  await createVault(dir, { passphrase: undefined })
  await using vault = await openVault(dir)
  for (const { key } of [ana, eva])
    await vault.issueCap({ to: key, actions: ['approve'], expires: null, delegate: true })
  await vault.issueCap({ to: ben.key, actions: ['approve', 'migrate', 'write', 'read'], expires: null })
  await vault.mandate({ action: 'migrate', approvals })
}

const missing = async (vault: Vault, act = PLAN) =>
  (await vault.missingApprovals({ action: 'migrate', act })).map(({ code }) => code)
const approve = (vault: Vault, signer: Signer, act = PLAN) =>
  vault.approve({ action: 'migrate', act, expires: soon() }, { signers: [signer] })

/** Past all that issues: as a fault, or somebody with the soup in hand, would write it. */
async function put(vault: Vault, key: string, type: string, envelope: Uint8Array): Promise<void> {
  const { epoch } = await vault.soup.tenure()
  await vault.soup.commit({ epoch, entries: { put: [{ key, type, fields: { envelope } as never }] } })
}

test('a mandate wants so many people, none of whom does it, for this plan, in time', async () => {
  await using space = await scratch()
  const dir = space.at('v')
  await vaultWith(dir, 2)
  {
    await using vault = await openVault(dir, { as: [ben] })
    expect(await missing(vault)).toEqual(['CAPS_MANDATE_QUORUM'])
    await approve(vault, ana)
    await approve(vault, ana)
    expect(await missing(vault)).toEqual(['CAPS_MANDATE_QUORUM'])
    // Whoever does it does not approve it.
    await approve(vault, ben)
    expect(await missing(vault)).toContain('CAPS_MANDATE_NOT_SEPARATE')
  }
  await using vault = await openVault(dir)
  expect(await missing(vault)).toEqual([])
  expect(await missing(vault, contentId(utf8('another plan')))).toEqual(['CAPS_MANDATE_QUORUM'])
  // Nobody else's word counts, nor is it taken.
  expect(await codeOf(approve(vault, mia))).toBe('CAPS_DENIED')
})

test('whoever is let in by the place does not approve either what the place then does for them, with whatever key', async () => {
  await using space = await scratch()
  const dir = space.at('v')
  await vaultWith(dir, 1)
  await using own = await openVault(dir)
  await own.issueCap({ to: eva.key, actions: ['migrate'], expires: null, delegate: true })
  await own.issueCap({ to: mia.key, actions: ['migrate'], expires: null }, { signers: [eva] })
  const authorize: Authorize = async ({ action, object }) => ({ action, object, proven: true })
  const by = ({ key }: Signer) => openVault(dir, { authorize, actor: { name: key, key } })
  await using asBen = await by(ben)
  await approve(own, ben)
  expect(await missing(asBen)).toContain('CAPS_MANDATE_NOT_SEPARATE')
  await using asMia = await by(mia)
  expect(await missing(asMia)).toEqual([])
  const other = contentId(utf8('another plan'), { hash: 'sha2-256', codec: 'dag-cbor' })
  await approve(own, eva, other)
  expect(await missing(asMia, other)).toContain('CAPS_MANDATE_NOT_SEPARATE')
})

test('an approval counts no more once it has expired, or what it rests on was taken back', async () => {
  await using space = await scratch()
  const dir = space.at('v')
  await vaultWith(dir, 1)
  let now = new Date()
  await using vault = await openVault(dir, { clock: () => now })
  const { id } = await vault.issueCap({ to: mia.key, actions: ['approve'], expires: null })
  await approve(vault, mia)
  expect(await missing(vault)).toEqual([])
  await vault.revokeCap({ certificate: id })
  expect(await missing(vault)).toEqual(['CAPS_MANDATE_QUORUM'])
  await approve(vault, eva)
  expect(await missing(vault)).toEqual([])
  now = new Date(Date.now() + 61_000)
  expect(await missing(vault)).toEqual(['CAPS_MANDATE_QUORUM'])
})

test('two keys of one grant are one person, and unsigned, foreign and unreadable approvals are none', async () => {
  await using space = await scratch()
  const dir = space.at('v')
  await vaultWith(dir, 2)
  await using vault = await openVault(dir)
  await vault.issueCap({ to: mia.key, actions: ['approve'], expires: null }, { signers: [ana] })
  await approve(vault, ana)
  await approve(vault, mia)
  expect(await missing(vault)).toEqual(['CAPS_MANDATE_QUORUM'])
  const draft = { vault: vault.id, action: 'migrate', act: PLAN, at: new Date(), expires: soon() }
  const signed = await createApproval(draft, eva)
  const stolen = { ...signed, signatures: [{ key: eva.key, signature: new Uint8Array(64) as never }] }
  await put(vault, `approval:${PLAN}/1`, 'approval', encodeEnvelope(stolen))
  await put(vault, `approval:${PLAN}/2`, 'approval', new Uint8Array(9))
  const elsewhere = await createApproval({ ...draft, act: contentId(utf8('other')) }, eva)
  await put(vault, `approval:${PLAN}/${openApproval(elsewhere).id}`, 'approval', encodeEnvelope(elsewhere))
  expect(await missing(vault)).toEqual(['CAPS_MANDATE_QUORUM'])
  await put(vault, `approval:${PLAN}/3`, 'approval', encodeEnvelope(signed))
  expect(await missing(vault)).toEqual([])
})

test('who approves a thousand times, or did long ago, takes no room from the others', async () => {
  await using space = await scratch()
  await vaultWith(space.at('v'), 2)
  await using vault = await openVault(space.at('v'))
  await approve(vault, eva, contentId(utf8('another plan'), { hash: 'sha2-256', codec: 'dag-cbor' }))
  const put = []
  for (let i = 0; i < 1_100; i++) {
    const at = new Date(Date.now() - 10_000)
    const expires = new Date(Date.now() + (i % 2 === 0 ? -5_000 : 60_000) + i)
    const envelope = await createApproval({ vault: vault.id, action: 'migrate', act: PLAN, at, expires }, ana)
    const key = `approval:${PLAN}/${String(i).padStart(4, '0')}`
    put.push({ key, type: 'approval', fields: { envelope: encodeEnvelope(envelope) } })
  }
  const { epoch } = await vault.soup.tenure()
  await vault.soup.commit({ epoch, entries: { put } })
  expect(await missing(vault)).toEqual(['CAPS_MANDATE_QUORUM'])
  await approve(vault, eva)
  expect(await missing(vault)).toEqual([])
})

test('the last mandate counts, and one that cannot be read or is not signed by the operators opens nothing', async () => {
  await using space = await scratch()
  const dir = space.at('v')
  await vaultWith(dir, 1)
  await using vault = await openVault(dir)
  await put(vault, 'mandate:migrate/2', 'mandate', new Uint8Array(9))
  await approve(vault, ana)
  expect(await missing(vault)).toEqual(['CAPS_MANDATE_INVALID'])
  expect(await vault.mandate({ action: 'migrate', approvals: 1 })).toMatchObject({ seq: 3 })
  expect(await missing(vault)).toEqual([])
  const lifted = { issuer: vaultPrincipal(vault.id), epoch: 0, action: 'migrate', seq: 4, approvals: 0, at: new Date() }
  await put(vault, 'mandate:migrate/4', 'mandate', encodeEnvelope(await createStandingMandate(lifted, [ben])))
  expect(await missing(vault)).toEqual(['CAPS_MANDATE_INVALID'])
  await vault.mandate({ action: 'migrate', approvals: 0 })
  expect(await missing(vault, contentId(utf8('any')))).toEqual([])
  expect(await codeOf(vault.commit({ entries: { put: [{ key: 'mandate:x/1', type: 'mandate', fields: {} }] } }))).toBe(
    'CAPS_RESERVED',
  )
})

test('it is said how far a plan is approved, by whom, and until when', async () => {
  await using space = await scratch()
  await vaultWith(space.at('v'), 2)
  let now = new Date('2026-01-01T00:00:00Z')
  await using vault = await openVault(space.at('v'), { clock: () => now })
  const asked = { action: 'migrate', act: PLAN } as const
  expect(await vault.approvalsNeeded('migrate')).toBe(2)
  expect(await vault.approvals(asked)).toEqual({ needed: 2, given: 0, by: [] })
  const at = (day: number) => new Date(Date.UTC(2026, 0, day))
  await vault.approve({ ...asked, expires: at(2) }, { signers: [ana] })
  for (const [i, day] of [3, 5, 4].entries()) {
    const signed = await createApproval({ vault: vault.id, ...asked, at: now, expires: at(day) }, ana)
    await put(vault, `approval:${PLAN}/${i}`, 'approval', encodeEnvelope(signed))
  }
  // Of each one the approval that counts longest.
  expect(await vault.approvals(asked)).toEqual({ needed: 2, given: 1, by: [{ approver: ana.key, expires: at(5) }] })
  // A second key of the same person is another key, and nobody else.
  await vault.issueCap({ to: mia.key, actions: ['approve'], expires: null }, { signers: [ana] })
  await vault.approve({ ...asked, expires: at(9) }, { signers: [mia] })
  expect(await vault.approvals(asked)).toMatchObject({ given: 1, by: { length: 2 } })
  await vault.approve({ ...asked, expires: at(4) }, { signers: [eva] })
  expect(await vault.approvals(asked)).toMatchObject({ given: 2, by: { length: 3 } })
  now = at(4)
  expect(await vault.approvals(asked)).toMatchObject({ given: 1, by: { length: 2 } })
  await put(vault, 'mandate:migrate/2', 'mandate', new Uint8Array(9))
  expect(await vault.approvalsNeeded('migrate')).toBeUndefined()
  expect(await vault.approvals(asked)).toMatchObject({ needed: undefined, given: 1 })
})

test('the status of a move says for which approvals it waits, until nobody asks for them any more', async () => {
  await using space = await scratch()
  await vaultWith(space.at('a'), 1)
  await using vault = await openVault(space.at('a'))
  await using target = await openMoveTarget(space.at('b'))
  const parts = { source: await moveSourceOf(vault), target, authorize: vault.authorize }
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  const status = async () => (await moveStatuses(vault.place, { vault: vault.id }))[0]
  expect(await status()).toBeUndefined()
  await codeOf(Array.fromAsync(moveVault(plan, parts)))
  expect((await status())?.approvals).toEqual({ plan: planId(plan), needed: 1, given: 0, by: [] })
  const expires = new Date(Math.ceil(Date.now() / 1000) * 1000 + 60_000)
  await vault.approve({ action: 'migrate', act: planId(plan), expires }, { signers: [eva] })
  const by = [{ approver: eva.key, expires: expires.getTime() / 1000 }]
  expect((await status())?.approvals).toEqual({ plan: planId(plan), needed: 1, given: 1, by })
  await put(vault, 'mandate:migrate/2', 'mandate', new Uint8Array(9))
  expect((await status())?.approvals).toMatchObject({ needed: null })
  await vault.mandate({ action: 'migrate', approvals: 0 })
  expect(await status()).not.toHaveProperty('approvals')
  await vault.mandate({ action: 'migrate', approvals: 1 })
  for await (const event of resumeMove(plan.migration_id, parts)) {
    const asks = (await status())?.approvals !== undefined
    // Asked for the last time when the source is about to be closed.
    if (event.type === 'step' && event.step.effect === 'quiesce') expect(asks).toBe(true)
    if (event.type === 'step' && event.step.effect === 'copy-rest') expect(asks).toBe(false)
  }
  expect(await status()).not.toHaveProperty('approvals')
  expect(await moveStatuses(vault.place, { vault: PLAN })).toEqual([])
})

test('a move waits for its approvals before anything is made at the target, and goes on with them', async () => {
  await using space = await scratch()
  await vaultWith(space.at('a'), 1)
  await using vault = await openVault(space.at('a'))
  await vault.put(utf8('content'))
  await using target = await openMoveTarget(space.at('b'))
  const parts = { source: await moveSourceOf(vault), target, authorize: vault.authorize }
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  const refused = await Array.fromAsync(moveVault(plan, parts)).catch((error: unknown) => error)
  expect(refused).toMatchObject({
    code: 'MIGRATION_NOT_APPROVED',
    details: { plan: planId(plan), findings: [{ code: 'CAPS_MANDATE_QUORUM' }] },
  })
  expect((await target.look(vault.id)).tenure.state).toBe('none')
  expect((await vault.soup.tenure()).state).toBe('active')
  await approve(vault, eva, planId(plan))
  // What was approved leads to this place, and to no other one.
  await using third = await openMoveTarget(space.at('c'))
  const elsewhere = { ...parts, target: third }
  expect(await codeOf(Array.fromAsync(resumeMove(plan.migration_id, elsewhere)))).toBe('MIGRATION_PLAN_MISMATCH')
  const posing = { ...third, instance: target.instance }
  expect(await codeOf(Array.fromAsync(resumeMove(plan.migration_id, { ...parts, target: posing })))).toBe(
    'MIGRATION_PLAN_MISMATCH',
  )
  expect((await third.look(vault.id)).tenure.state).toBe('none')
  await Array.fromAsync(resumeMove(plan.migration_id, parts))
  expect((await vault.soup.tenure()).state).toBe('retired')
  await using moved = await openVault(space.at('b'))
  // It goes on to hold, under the keys that came.
  expect(await missing(moved)).toEqual(['CAPS_MANDATE_QUORUM'])
})

test('an approval is of the place that the plan names: one that could lead to any is approved by nobody', async () => {
  await using space = await scratch()
  await vaultWith(space.at('a'), 1)
  await using vault = await openVault(space.at('a'))
  await using target = await openMoveTarget(space.at('b'))
  const parts = { source: await moveSourceOf(vault), target, authorize: vault.authorize }
  const planned = async (named: readonly string[]) => {
    const plan = await planMigration(parts, { handoff: { keys: 'new' } })
    const target = Object.fromEntries(Object.entries(plan.target).filter(([name]) => named.includes(name)))
    return { ...plan, target } as Plan
  }
  for (const named of [['label'], ['label', 'instance'], ['label', 'place']]) {
    const plan = await planned(named)
    await approve(vault, ana, planId(plan))
    const refused = await Array.fromAsync(moveVault(plan, parts)).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'MIGRATION_NOT_APPROVED', details: { findings: [{ subject: 'approve' }] } })
    await Array.fromAsync(rollBackMove(plan.migration_id, parts))
  }
  expect((await target.look(vault.id)).tenure.state).toBe('none')
  // Where nobody has to approve it, it is as it ever was.
  await vault.mandate({ action: 'migrate', approvals: 0 })
  await Array.fromAsync(moveVault(await planned(['label']), parts))
  expect((await vault.soup.tenure()).state).toBe('retired')
})
