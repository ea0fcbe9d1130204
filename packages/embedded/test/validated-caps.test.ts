import {
  type ContentId,
  createSigner,
  encodeEnvelope,
  generateSecretKey,
  isVaultError,
  type Signer,
  systemRandom,
} from '@vault/core'
import { moveVault, planMigration } from '@vault/migration'
import { createValidation, type OnlineTest, openCapCert, thresholdPrincipal, vaultPrincipal } from '@vault/spki-caps'
import { expect, test } from 'vitest'
import { VaultCaps } from '../src/caps/vault-caps.ts'
import {
  ClientAuthority,
  createVault,
  moveSourceOf,
  NOTHING_SHOWN,
  openMoveTarget,
  openVault,
  proofsOf,
  readProofs,
  testedCaps,
  unreadableCaps,
  type Vault,
} from '../src/index.ts'
import { scratch } from './scratch.ts'

const [ana, ben, eva, carol] = Array.from({ length: 4 }, () => createSigner(generateSecretKey(systemRandom)))
if (!ana || !ben || !eva || !carol) throw new Error('there are four')
const START = Date.UTC(2026, 5, 1)
const plain = { passphrase: undefined }
const every = (by: OnlineTest['by'], maxAge = 600): OnlineTest => ({ by, maxAge, kind: 'validation' })

/** A vault whose time is turned by hand, in seconds from the beginning. */
async function timed(dir: string) {
  const time = { seconds: 0 }
  const at = (seconds: number) => new Date(START + seconds * 1000)
  const clock = () => at(time.seconds)
  await createVault(dir, { ...plain, clock })
  const vault = await openVault(dir, { clock })
  const standing = async (key = carol?.key, of: Vault = vault) => {
    const { verdict } = await of.caps.ask([key as never], { action: 'write' })
    return verdict.ok ? verdict.effective.expires : verdict.code
  }
  const seconds = (count: number) => at(count).getTime() / 1000
  return { vault, time, at, clock, standing, seconds, [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose]() }
}

const codeOf = async (work: Promise<unknown>) =>
  await work.then(
    () => 'done',
    (error) => (isVaultError(error) ? error.code : error),
  )

const issue = async (vault: Vault, checks: readonly OnlineTest[], options: { signers?: readonly Signer[] } = {}) =>
  await vault.issueCap({ to: carol.key, actions: ['write', 'read'], expires: null, checks }, options)

test('a certificate holds while it is validated, and what was granted by it ends then', async () => {
  await using space = await scratch()
  await using made = await timed(space.at('v'))
  const { vault, time, at, clock, standing, seconds } = made
  const { id, findings } = await issue(vault, [every(ana.key)])
  expect(findings.map(({ code }) => code)).toEqual(['CAPS_NOT_VALIDATED', 'CAPS_NOT_VALIDATED'])
  expect(await standing()).toBe('CAPS_NOT_VALIDATED')

  const validated = await vault.validateCap(id, at(3600), { signers: [ana] })
  expect(validated).toMatchObject({ issuer: ana.key, until: at(601) })
  expect(await standing()).toBe(seconds(601))
  // What is remembered by whoever has it open ends with it, too.
  await using hers = await openVault(space.at('v'), { clock, as: [carol] })
  const write = async () => await codeOf(hers.require('write'))
  expect(await write()).toBe('done')
  time.seconds = 600
  expect(await write()).toBe('done')
  time.seconds = 601
  expect(await write()).toBe('CAPS_DENIED')
  await vault.validateCap(id, at(700), { signers: [ana] })
  expect(await write()).toBe('done')
  time.seconds = 700
  expect(await write()).toBe('CAPS_DENIED')

  await vault.log.drain()
  const entries = (await Array.fromAsync((await vault.log.read()).entries())).flat().map(({ entry }) => entry)
  expect(entries.filter(({ action }) => action.verb === 'cap-validate')).toHaveLength(2)
  expect(entries.findLast(({ action }) => action.verb === 'cap-validate')).toMatchObject({
    action: { object: `cap:${id}` },
    actor: { key: ana.key, proven: true },
  })
})

test('of each certificate and issuer the last validation is kept, and comes in no other way', async () => {
  await using space = await scratch()
  await using made = await timed(space.at('v'))
  const { vault, time, at, standing, seconds } = made
  const { id } = await issue(vault, [every(ana.key), every(vaultPrincipal(vault.id))])
  await vault.validateCap(id, at(3600), { signers: [ana] })
  expect(await standing()).toBe('CAPS_NOT_VALIDATED')
  await vault.validateCap(id, at(3600))
  expect(await standing()).toBe(seconds(601))
  const count = async () => (await vault.roots()).counts.entries
  const before = await count()
  for (time.seconds = 100; time.seconds <= 500; time.seconds += 100) {
    await vault.validateCap(id, at(3600), { signers: [ana] })
    await vault.validateCap(id, at(3600))
  }
  time.seconds = 500
  expect(await count()).toBe(before)
  expect(await standing()).toBe(seconds(500 + 601))
  const [key] = [...(await vault.caps.validations()).keys()]
  if (key === undefined) throw new Error('it is kept')
  expect(await codeOf(vault.commit({ entries: { remove: [key] } }))).toBe('CAPS_RESERVED')
  const entry = { key: 'x', type: 'capability-validation', fields: {} }
  expect(await codeOf(vault.commit({ entries: { put: [entry] } }))).toBe('CAPS_RESERVED')
})

test('a clock that was ahead keeps nobody from saying it again, nor does one that is behind', async () => {
  await using space = await scratch()
  await using made = await timed(space.at('v'))
  const { vault, time, at, standing, seconds } = made
  const { id } = await issue(vault, [every(ana.key)])
  time.seconds = 3600
  await vault.validateCap(id, at(7200), { signers: [ana] })
  for (time.seconds = 10; time.seconds <= 30; time.seconds += 10) {
    const { until } = await vault.validateCap(id, at(7200), { signers: [ana] })
    expect(until).toEqual(at(time.seconds + 601))
    expect(await standing()).toBe(seconds(time.seconds + 601))
    expect((await vault.caps.validations()).size).toBe(1)
  }
  time.seconds = 20
  await vault.validateCap(id, at(7200), { signers: [ana] })
  expect(await standing()).toBe(seconds(621))
})

test('who speaks for two whom a certificate names says for which, and for one after the other', async () => {
  await using space = await scratch()
  await using made = await timed(space.at('v'))
  const { vault, at, standing, seconds } = made
  const both = { signers: [ana, eva] }
  const { id } = await issue(vault, [every(ana.key), every(eva.key, 60), every(eva.key, 30)])
  expect(await codeOf(vault.validateCap(id, at(600), both))).toBe('CAPS_ISSUER_UNKNOWN')
  expect(await codeOf(vault.validateCap(id, at(600), { ...both, by: ben.key }))).toBe('CAPS_DENIED')
  expect(await codeOf(vault.validateCap(id, at(600), { signers: [ana], by: eva.key }))).toBe('CAPS_DENIED')
  expect((await vault.caps.validations()).size).toBe(0)
  expect(await vault.validateCap(id, at(600), { ...both, by: eva.key })).toMatchObject({
    issuer: eva.key,
    until: at(31),
  })
  expect(await standing()).toBe('CAPS_NOT_VALIDATED')
  expect(await vault.validateCap(id, at(600), { ...both, by: ana.key })).toMatchObject({ issuer: ana.key })
  expect(await standing()).toBe(seconds(31))

  // One who speaks for himself and with another one as a threshold.
  const two = thresholdPrincipal(2, [ana.key, eva.key])
  const other = await vault.issueCap({
    to: ben.key,
    actions: ['read'],
    expires: null,
    checks: [every(ana.key), every(two)],
  })
  expect(await vault.validateCap(other.id, at(600), { signers: [ana] })).toMatchObject({ issuer: ana.key })
  expect(await codeOf(vault.validateCap(other.id, at(600), both))).toBe('CAPS_ISSUER_UNKNOWN')
  expect((await vault.validateCap(other.id, at(600), { ...both, by: two })).issuer).toMatch(/^2-of/)
})

test('only whom the certificate names validates it', async () => {
  await using space = await scratch()
  await using made = await timed(space.at('v'))
  const { vault, at, standing } = made
  const council = thresholdPrincipal(2, [ana.key, ben.key, eva.key])
  const { id } = await issue(vault, [every(council)])
  for (const signers of [[carol], [ana], undefined]) {
    expect(await codeOf(vault.validateCap(id, at(60), { ...(signers && { signers }) }))).toBe('CAPS_DENIED')
  }
  expect(await codeOf(vault.validateCap(vault.id as ContentId, at(60), { signers: [ana, eva] }))).toBe('CAPS_UNKNOWN')
  const plainCert = await vault.issueCap({ to: ben.key, actions: ['read'], expires: null })
  expect(await codeOf(vault.validateCap(plainCert.id, at(60), { signers: [ana, eva] }))).toBe('CAPS_DENIED')
  const each = await issue(vault, [{ by: ana.key, maxAge: 60, kind: 'once' }])
  expect(await codeOf(vault.validateCap(each.id, at(60), { signers: [ana] }))).toBe('CAPS_DENIED')
  expect((await vault.caps.validations()).size).toBe(0)
  const ours = await issue(vault, [every(vaultPrincipal(vault.id))])
  expect(await codeOf(vault.validateCap(ours.id, at(60), { signers: [ana, eva] }))).toBe('CAPS_DENIED')
  expect((await vault.caps.validations()).size).toBe(0)
  await vault.validateCap(id, at(60), { signers: [ana, eva] })
  expect(await standing()).toBe(at(60).getTime() / 1000)
})

test('whoever grants on may ask for validations; what waits for those above is not granted on', async () => {
  await using space = await scratch()
  await using made = await timed(space.at('v'))
  const { vault, at, standing } = made
  const held = await vault.issueCap({
    to: ben.key,
    actions: ['write', 'read'],
    expires: null,
    delegate: true,
    checks: [every(ana.key)],
  })
  const grant = async () => await issue(vault, [every(eva.key)], { signers: [ben] })
  expect(await codeOf(grant())).toBe('CAPS_DENIED')
  await vault.validateCap(held.id, at(60), { signers: [ana] })
  const { id, findings } = await grant()
  expect(findings[0]?.code).toBe('CAPS_NOT_VALIDATED')
  expect(await standing()).toBe('CAPS_NOT_VALIDATED')
  await vault.validateCap(id, at(600), { signers: [eva] })
  // Not longer than what its issuer has.
  expect(await standing()).toBe(at(60).getTime() / 1000)
})

test('it moves with its vault, and other keys of the operators end what those before have validated', async () => {
  await using space = await scratch()
  await using made = await timed(space.at('v'))
  const { vault, at, clock, standing, seconds } = made
  const mine = await issue(vault, [every(ana.key)])
  await vault.validateCap(mine.id, at(3600), { signers: [ana] })
  const operators = vaultPrincipal(vault.id)
  const theirs = await vault.issueCap({ to: eva.key, actions: ['write'], expires: null, checks: [every(operators)] })
  await vault.validateCap(theirs.id, at(3600))
  expect([await standing(), await standing(eva.key)]).toEqual([seconds(601), seconds(601)])
  await using there = await openMoveTarget(space.at('b'), { clock })
  const parts = { source: await moveSourceOf(vault), target: there, authorize: vault.authorize, clock }
  // That it has to be validated again breaks no chain, which would stop the move.
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  for await (const _ of moveVault(plan, parts));
  await using moved = await openVault(space.at('b'), { clock })
  expect(await standing(carol.key, moved)).toBe(seconds(601))
  expect(await standing(eva.key, moved)).toBe('CAPS_NOT_VALIDATED')
  await moved.validateCap(theirs.id, at(3600))
  expect(await standing(eva.key, moved)).toBe(seconds(601))
})

test('what was validated is read again only where the vault has changed', async () => {
  await using space = await scratch()
  await using made = await timed(space.at('v'))
  const { vault, at, clock } = made
  const { id } = await issue(vault, [every(ana.key)])
  await vault.validateCap(id, at(60), { signers: [ana] })
  let reads = 0
  const { soup, place } = vault
  const query: typeof soup.query = (asked, options) => {
    if (asked.prefix === 'cap-valid:') reads++
    return soup.query(asked, options)
  }
  const caps = new VaultCaps({ vault: vault.id, place, soup: { ...soup, query }, clock, random: systemRandom })
  const ask = async () => (await caps.ask([carol.key], { action: 'write' })).verdict.ok
  expect([await ask(), await ask(), await ask()]).toEqual([true, true, true])
  expect(reads).toBe(1)
  await vault.revokeCap({ certificate: id })
  expect([await ask(), await ask()]).toEqual([false, false])
  expect(reads).toBe(2)
  await vault.rotateKeys({ roles: ['operators'] })
  expect((await caps.keys()).seq).toBe(1)
})

test('how the tests of certificates stand is told, and what cannot be read', async () => {
  await using space = await scratch()
  await using made = await timed(space.at('v'))
  const { vault, at } = made
  const { id } = await issue(vault, [
    every(ana.key),
    { by: ben.key, maxAge: 5 },
    { ...every(eva.key), kind: 'once' } as never,
  ])
  const tests = async () =>
    (await testedCaps(vault.caps)).map(({ tests }) => tests.map(({ kind, holds }) => [kind, holds]))
  expect(await tests()).toEqual([
    [
      ['validation', false],
      ['revocations', false],
      ['once', false],
    ],
  ])
  await vault.validateCap(id, at(60), { signers: [ana] })
  expect(await tests()).toEqual([
    [
      ['validation', true],
      ['revocations', false],
      ['once', false],
    ],
  ])
  expect(await unreadableCaps(vault.caps)).toEqual([])
})

test('a client shows a validation that the place does not have, and is let in until it ends', async () => {
  await using space = await scratch()
  await using made = await timed(space.at('v'))
  const { vault, time, at, clock } = made
  const { id, envelope } = await issue(vault, [every(ana.key)])
  const authority = new ClientAuthority(vault.place, { clock })
  const judge = async (proofs = NOTHING_SHOWN) =>
    await codeOf(authority.judge({ key: carol.key, action: 'write', vault: vault.id, proofs }))
  expect(await judge()).toBe('CAPS_DENIED')
  const by = async (signer: Signer, until: number) =>
    await createValidation({ issuer: signer.key, certificate: id, from: clock(), until: at(until) }, [signer])
  const shown = readProofs([envelope, await by(ana, 20)].map((each) => encodeEnvelope(each)))
  expect(await judge(readProofs([encodeEnvelope(await by(ben, 20))]))).toBe('CAPS_DENIED')
  expect(await judge(shown)).toBe('done')
  // It was remembered, but not for longer than it holds.
  time.seconds = 19
  expect(await judge(shown)).toBe('done')
  time.seconds = 20
  expect(await judge(shown)).toBe('CAPS_DENIED')
  expect(await judge(readProofs([encodeEnvelope(await by(ana, 40))]))).toBe('done')
  await vault.validateCap(id, at(60), { signers: [ana] })
  expect(await judge()).toBe('done')
})

test('the place shows the validations of its own chain', async () => {
  await using space = await scratch()
  await using made = await timed(space.at('v'))
  const { vault, at } = made
  const root = await vault.caps.rootCertificate()
  const place = vault.place.info.key
  const { id } = await vault.issueCap({ to: place, actions: ['write'], expires: null, checks: [every(ana.key)] })
  await vault.validateCap(id, at(60), { signers: [ana] })
  expect(readProofs(await proofsOf(vault, 'write')).validations).toEqual([])
  await vault.revokeCap({ certificate: openCapCert(root as never).id })
  expect(readProofs(await proofsOf(vault, 'write')).validations).toHaveLength(1)
})
