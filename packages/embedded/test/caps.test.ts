import { writeFile } from 'node:fs/promises'
import {
  type ContentId,
  contentId,
  createSigner,
  generateSecretKey,
  isVaultError,
  systemClock,
  systemRandom,
} from '@vault/core'
import { moveVault, planMigration } from '@vault/migration'
import { openCapCert, type Principal, thresholdPrincipal } from '@vault/spki-caps'
import { describe, expect, test } from 'vitest'
import { subjectPrefix } from '../src/caps/cap-entry.ts'
import {
  type CapGrant,
  type CapNarrowing,
  createVault,
  moveSourceOf,
  openMoveTarget,
  openVault,
  type Vault,
} from '../src/index.ts'
import { Leaves } from '../src/leaves.ts'
import type { VaultChange } from '../src/recorder.ts'
import { WriterGate } from '../src/writer-gate.ts'
import { scratch } from './scratch.ts'

const [ana, ben, eva, carol, dan] = Array.from({ length: 5 }, () => createSigner(generateSecretKey(systemRandom)))
if (!ana || !ben || !eva || !carol || !dan) throw new Error('there are five')
const plain = { passphrase: undefined }
const bytes = (text: string) => new TextEncoder().encode(text)

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => 'granted',
    (error) => (isVaultError(error) ? error.code : error),
  )
}

describe('the root certificate of a place', () => {
  test('lets whoever opens it work, proven, and ends with its revocation', async () => {
    await using space = await scratch()
    await createVault(space.at('v'), plain)
    await using vault = await openVault(space.at('v'))
    const at = new Date()
    expect(await vault.authorize({ signers: [], action: 'write', object: vault.id, at })).toMatchObject({
      proven: true,
    })
    // A rotation makes another one.
    await vault.rotateKeys({ roles: ['operators'] })
    expect(await vault.authorize({ signers: [], action: 'write', object: vault.id, at })).toMatchObject({
      proven: true,
    })
    expect((await vault.caps.rootStanding()).standing).toBe('good')
    const root = await vault.caps.rootCertificate()
    if (root === undefined) throw new Error('there is one')
    await vault.revokeCap({ certificate: openCapCert(root).id })
    expect(await codeOf(vault.put(bytes('x')))).toBe('CAPS_DENIED')
  })

  test('is not missed by a place whose key was revoked', async () => {
    await using space = await scratch()
    const id = await createVault(space.at('v'), plain)
    await using vault = await openVault(space.at('v'))
    const { key } = vault.place.info
    await vault.revokeCap({ key })
    const { records } = vault.place.soups
    const record = await records.read(`root-certificate/${id}`)
    await records.swap(`root-certificate/${id}`, record?.version ?? 0, undefined)
    expect((await vault.caps.rootStanding()).standing).toBe('revoked')
    expect(await codeOf(vault.put(bytes('x')))).toBe('CAPS_DENIED')
    // Nor is another one made.
    await using again = await openVault(space.at('v'))
    expect(await codeOf(again.put(bytes('x')))).toBe('CAPS_DENIED')
  })

  test('is made at the next opening where there is none', async () => {
    await using space = await scratch()
    const id = await createVault(space.at('v'), plain)
    {
      await using vault = await openVault(space.at('v'))
      const { records } = vault.place.soups
      const record = await records.read(`root-certificate/${id}`)
      await records.swap(`root-certificate/${id}`, record?.version ?? 0, undefined)
      const request = { signers: [], action: 'write', object: id, at: new Date() }
      expect(await vault.authorize(request)).toMatchObject({ proven: false })
    }
    await using vault = await openVault(space.at('v'))
    expect((await vault.caps.rootStanding()).standing).toBe('good')
  })
})

describe('a chain of certificates', () => {
  test('council, ana and eva for it, ben, carol: works until it is revoked, also after a rotation and a move', async () => {
    await using space = await scratch()
    await createVault(space.at('A'), plain)
    const council = thresholdPrincipal(2, [ana.key, ben.key, eva.key])
    {
      await using vault = await openVault(space.at('A'))
      const grant = { actions: ['write', 'migrate'], delegate: true, expires: null }
      await vault.issueCap({ to: council, ...grant })
      const { findings } = await vault.issueCap({ to: carol.key, ...grant }, { signers: [ana, eva] })
      expect(findings).toEqual([])
      await vault.rotateKeys({ roles: ['operators'] })
    }
    const asCarol = { as: [carol], actor: { name: 'carol', key: carol.key } }
    {
      await using vault = await openVault(space.at('A'), asCarol)
      await vault.put(bytes('by carol'))
      expect(await codeOf(vault.rotateKeys({ roles: ['log'] }))).toBe('CAPS_DENIED')
      const source = await moveSourceOf(vault)
      await using target = await openMoveTarget(space.at('B'))
      const parts = { source, target, authorize: vault.authorize }
      const plan = await planMigration(parts, { handoff: { keys: 'new' } })
      for await (const _ of moveVault(plan, parts));
    }
    await using owned = await openVault(space.at('B'))
    expect((await owned.caps.rootStanding()).standing).toBe('good')
    await using vault = await openVault(space.at('B'), asCarol)
    await vault.put(bytes('by carol, there'))
    const [held] = await Array.fromAsync(vault.caps.certificates.naming(carol.key))
    if (held === undefined) throw new Error('it moved along')
    await owned.revokeCap({ certificate: openCapCert(held).id })
    expect(await codeOf(vault.put(bytes('no more')))).toBe('CAPS_DENIED')
    const { verdict } = await owned.caps.ask([carol.key], { action: 'write' })
    expect(verdict).toMatchObject({ ok: false, code: 'CAPS_REVOKED' })
  })

  test('issuing the other half says what counts with it: the first one, and what was granted on by that', async () => {
    await using space = await scratch()
    await createVault(space.at('v'), plain)
    await using vault = await openVault(space.at('v'))
    const grant = { actions: ['read'], delegate: true, expires: null }
    await vault.issueCap({ to: thresholdPrincipal(2, [ana.key, ben.key, eva.key]), ...grant })
    const first = await vault.issueCap({ to: carol.key, ...grant }, { signers: [ana] })
    const on = await vault.issueCap({ to: dan.key, ...grant }, { signers: [carol] })
    expect([first.revives, on.revives]).toEqual([[], []])
    const { revives } = await vault.issueCap({ to: carol.key, ...grant }, { signers: [ben] })
    expect(new Set(revives)).toEqual(new Set([first.id, on.id]))
  })

  test('two who are enough for several councils act for the one that has what they grant, or grants what they revoke', async () => {
    await using space = await scratch()
    await createVault(space.at('v'), plain)
    await using vault = await openVault(space.at('v'))
    const together = { signers: [ben, eva] }
    const councils = [ana, carol].map(({ key }) => thresholdPrincipal(2, [key, ben.key, eva.key]))
    for (const [i, action] of ['read', 'write'].entries()) {
      await vault.issueCap({ to: councils[i] as Principal, actions: [action], delegate: true, expires: null })
    }
    for (const actions of [['read'], ['write']]) {
      const { id, findings } = await vault.issueCap({ to: dan.key, actions, expires: null }, together)
      expect(findings).toEqual([])
      expect((await vault.caps.ask([dan.key], { action: actions[0] as string })).verdict.ok).toBe(true)
      await vault.revokeCap({ certificate: id }, together)
      expect((await vault.caps.ask([dan.key], { action: actions[0] as string })).verdict.ok).toBe(false)
    }
    expect(await codeOf(vault.issueCap({ to: dan.key, actions: ['migrate'], expires: null }, together))).toBe(
      'CAPS_DENIED',
    )
  })

  test('names nobody more than a thousand times, unless the vault itself does', async () => {
    await using space = await scratch()
    await createVault(space.at('v'), plain)
    await using vault = await openVault(space.at('v'))
    const grant = { actions: ['read'], expires: null }
    await vault.issueCap({ to: ana.key, ...grant, delegate: true })
    const { epoch } = await vault.soup.tenure()
    const put = Array.from({ length: 1_024 }, (_, i) => ({
      key: `${subjectPrefix(ben.key)}${i}`,
      type: 'capability-subject',
      fields: {},
    }))
    await vault.soup.commit({ epoch, entries: { put } })
    const byAna = { signers: [ana] }
    expect(await codeOf(vault.issueCap({ to: ben.key, ...grant }, byAna))).toBe('CAPS_LIMIT')
    expect(await codeOf(vault.issueCap({ to: thresholdPrincipal(1, [ben.key, eva.key]), ...grant }, byAna))).toBe(
      'CAPS_LIMIT',
    )
    await vault.issueCap({ to: carol.key, ...grant }, byAna)
    await vault.issueCap({ to: ben.key, ...grant })
    expect((await vault.caps.ask([ben.key], { action: 'read' })).verdict.ok).toBe(true)
  })

  test('is refused with its reason, and changes nothing', async () => {
    await using space = await scratch()
    await createVault(space.at('v'), plain)
    await using vault = await openVault(space.at('v'))
    const expires = new Date(Date.now() + 60_000)
    await vault.issueCap({ to: ana.key, actions: ['read'], delegate: true, expires })
    const docs = { path: ['docs'], expires }
    const widened = await vault.issueCap({ to: ben.key, actions: ['read', 'write'], ...docs }, { signers: [ana] })
    expect(widened.findings.map(({ code }) => code)).toEqual(['CAPS_NOT_COVERED'])
    const codes = async (key: typeof ana.key, action: string, path?: string[]) => {
      const { verdict } = await vault.caps.ask([key], { action, ...(path && { path }) })
      return verdict.ok ? 'granted' : verdict.code
    }
    expect(await codes(ben.key, 'read', ['docs', 'a'])).toBe('granted')
    expect(await codes(ben.key, 'read', ['docs2'])).toBe('CAPS_NOT_COVERED')
    expect(await codes(ben.key, 'write', ['docs'])).toBe('CAPS_NOT_COVERED')
    expect(await codes(carol.key, 'read')).toBe('CAPS_NO_CHAIN')
    const { sequence } = await vault.soup.tenure()
    // Nothing at all, more than one has, and what is not to be granted on: none of it would count, and none of it is kept.
    for (const [signer, action] of [
      [carol, 'read'],
      [ana, 'write'],
      [ben, 'read'],
    ] as const) {
      const issued = vault.issueCap({ to: eva.key, actions: [action], ...docs }, { signers: [signer] })
      expect(await codeOf(issued)).toBe('CAPS_DENIED')
    }
    expect(await codeOf(vault.revokeCap({ key: carol.key }, { signers: [carol] }))).toBe('CAPS_DENIED')
    const forged = { key: 'cap:forged', type: 'capability', fields: { anchor: 0 } }
    expect(await codeOf(vault.commit({ entries: { put: [forged] } }))).toBe('CAPS_RESERVED')
    expect((await vault.soup.tenure()).sequence).toBe(sequence)
  })

  test('is granted on in part by one to whom it was granted, and never widened', async () => {
    await using space = await scratch()
    await createVault(space.at('v'), plain)
    await using vault = await openVault(space.at('v'))
    const expires = new Date(Date.now() + 60_000)
    const issue = async (to: Principal, rest: Partial<CapGrant> = {}) =>
      (
        await vault.issueCap({
          to,
          actions: ['read', 'write'],
          path: ['docs'],
          delegate: true,
          expires,
          ...rest,
        })
      ).id
    const pair = thresholdPrincipal(2, [ana.key, ben.key])
    const [held, closed, joint] = [
      await issue(ana.key, { depth: 2 }),
      await issue(ana.key, { delegate: false }),
      await issue(pair),
    ]
    const signers = [ana]
    const { envelope } = await vault.attenuateCap(held, { to: ben.key, delegate: true }, { signers })
    expect(openCapCert(envelope).record).toMatchObject({ delegate: true, depth: 1 })
    const { envelope: less } = await vault.attenuateCap(
      held,
      { to: eva.key, actions: ['read'], path: ['docs', 'a'] },
      { signers },
    )
    expect(openCapCert(less).record).toMatchObject({ delegate: false, depth: null })
    expect((await vault.caps.ask([eva.key], { action: 'read', path: ['docs', 'a'] })).verdict.ok).toBe(true)
    const both = await vault.attenuateCap(joint, { to: carol.key, actions: ['read'] }, { signers: [ana, ben] })
    expect(both.findings).toEqual([])

    const { sequence } = await vault.soup.tenure()
    const widerBy = async (id: ContentId, narrowing: Partial<CapNarrowing>, by = signers) => {
      const work = vault.attenuateCap(id, { to: eva.key, ...narrowing }, { signers: by })
      return await work.then(
        () => 'granted',
        (error) => (isVaultError(error, 'CAPS_WIDER') ? (error.details.wider as unknown[]).length : error.code),
      )
    }
    const later = new Date(expires.getTime() + 2000)
    const asked: readonly [number, Partial<CapNarrowing>][] = [
      [1, { expires: null }],
      [1, { expires: later }],
      [1, { actions: ['read', 'delete'] }],
      [1, { actions: '*' }],
      [1, { path: [] }],
      [1, { path: ['docs2'] }],
      [1, { delegate: true, depth: 2 }],
      [3, { actions: ['delete'], path: ['other'], expires: null }],
    ]
    for (const [count, narrowing] of asked)
      expect([narrowing, await widerBy(held, narrowing)]).toEqual([narrowing, count])
    expect(await widerBy(closed, {})).toBe(1)
    expect(await widerBy(joint, {})).toBe('CAPS_DENIED')
    expect(await widerBy(held, {}, [ben])).toBe('CAPS_DENIED')
    expect((await vault.soup.tenure()).sequence).toBe(sequence)
  })
})

describe('what was revoked', () => {
  test.each(['certificate', 'key'] as const)(
    'stays so for the place when operators get other keys: its %s',
    async (what) => {
      await using space = await scratch()
      await createVault(space.at('v'), plain)
      await using vault = await openVault(space.at('v'))
      const root = openCapCert((await vault.caps.rootCertificate()) as never).id
      await vault.issueCap({ to: ana.key, actions: ['rotate-keys'], expires: null })
      await vault.revokeCap(what === 'key' ? { key: vault.place.info.key } : { certificate: root })
      expect(await codeOf(vault.put(bytes('refused')))).toBe('CAPS_DENIED')
      {
        await using other = await openVault(space.at('v'), { as: [ana] })
        await other.rotateKeys({ roles: ['operators'] })
      }
      expect((await vault.caps.rootStanding()).standing).toBe('revoked')
      expect(await codeOf(vault.put(bytes('still refused')))).toBe('CAPS_DENIED')
      await using again = await openVault(space.at('v'))
      expect(await codeOf(again.put(bytes('and after it was opened again')))).toBe('CAPS_DENIED')
    },
  )

  test('ends a put that has begun', async () => {
    await using space = await scratch()
    await createVault(space.at('v'), plain)
    await using vault = await openVault(space.at('v'))
    const { id } = await vault.issueCap({ to: ana.key, actions: ['write', 'read'], expires: null })
    // Two batches: the second is larger than what comes together in one.
    for (const name of ['a', 'b']) await writeFile(space.at(name), Buffer.alloc(9 * 1024 * 1024, name))
    await using hers = await openVault(space.at('v'), { as: [ana] })
    const put = hers.putFiles([space.at('a'), space.at('b')])
    expect((await put.next()).value).toMatchObject({ type: 'stored' })
    await vault.revokeCap({ certificate: id })
    expect(await codeOf(Array.fromAsync(put))).toBe('CAPS_DENIED')
  })
})

test('a grant on one vault is none on another', async () => {
  await using space = await scratch()
  await createVault(space.at('v'), plain)
  await createVault(space.at('other'), plain)
  await using vault = await openVault(space.at('v'))
  await using other = await openVault(space.at('other'))
  await vault.issueCap({ to: ana.key, actions: '*', expires: null })
  const request = { signers: [ana.key], action: 'write', at: new Date() }
  expect(await vault.authorize({ ...request, object: vault.id })).toMatchObject({ proven: true })
  expect(await codeOf(vault.authorize({ ...request, object: other.id }))).toBe('CAPS_DENIED')
})

test('a grant on a path gives up, names and expects nothing beside it', async () => {
  await using space = await scratch()
  await createVault(space.at('v'), plain)
  await using vault = await openVault(space.at('v'))
  const loose = await vault.put(bytes('named by nobody'))
  await writeFile(space.at('secret'), 'of somebody else')
  await Array.fromAsync(vault.putFiles([space.at('secret')]))
  const [secret] = (await Array.fromAsync(vault.files())).flat()
  if (secret === undefined) throw new Error('it was put')
  await vault.issueCap({ to: ana.key, actions: ['write'], path: ['p'], expires: null })
  await using hers = await openVault(space.at('v'), { as: [ana] })
  const entry = { key: 'path:p/a', type: 'path', object: loose, fields: { size: 1, mode: 0o100644 } }
  const { object: _, ...nameless } = entry
  const own = { entries: { put: [nameless] } }
  expect(await codeOf(hers.commit({ ...own, objects: { release: [loose] } }))).toBe('CAPS_DENIED')
  expect(await codeOf(hers.commit({ entries: { put: [{ ...entry, object: secret.object }] } }))).toBe('CAPS_DENIED')
  const peek = { entries: { [`path:${secret.name}`]: null } }
  expect(await codeOf(hers.commit({ ...own, expect: peek as never }))).toBe('CAPS_DENIED')
  expect(await codeOf(hers.commit({ ...own, hold: [{ id: loose, size: 15 }] }))).toBe('CAPS_DENIED')
  expect(await codeOf(hers.commit({ ...own, events: [bytes('said by the operators')] }))).toBe('CAPS_DENIED')
})

test('a grant on a path lets objects come before the names that they are for, and nothing else', async () => {
  await using space = await scratch()
  await createVault(space.at('v'), plain)
  {
    await using vault = await openVault(space.at('v'))
    await vault.issueCap({ to: ana.key, actions: ['write'], path: ['p'], expires: null })
  }
  await using hers = await openVault(space.at('v'), { as: [ana] })
  const { id: vault, soup, authorize, place } = hers
  const gate = new WriterGate({ vault, dir: place.dir, soups: place.soups, clock: systemClock })
  const leaves = new Leaves({ vault, soup, authorize, actor: { name: 'ana' }, clock: systemClock, gate })
  const id = contentId(bytes('a part of a file'))
  const add = [{ id, size: 16, links: [] }]
  const code = async (change: VaultChange, ...names: readonly string[]) =>
    await codeOf(leaves.forChange(change, { names }))
  expect(await code({ objects: { add } }, 'p/a', 'p/b')).toBe('granted')
  // Of a change that stands for itself nobody knows what it is for.
  expect(await code({ objects: { add } })).toBe('CAPS_DENIED')
  expect(await code({ objects: { add } }, 'p/a', 'q/a')).toBe('CAPS_DENIED')
  expect(await code({ objects: { add } }, '')).toBe('CAPS_DENIED')
  for (const more of [
    { objects: { add, release: [id] } },
    { objects: { add }, refs: { main: id } },
    { objects: { add }, entries: { remove: ['path:q'] } },
    { objects: { add }, expect: { refs: { main: null } } },
    { objects: { add }, expect: { entries: { 'path:q': null } } },
    { objects: { add }, hold: [{ id, size: 16 }] },
    { objects: { add }, events: [bytes('an entry of the log')] },
    {},
  ]) {
    expect(await code(more, 'p/a')).toBe('CAPS_DENIED')
  }
  // Whoever makes a change does not say what it is for.
  const told = { names: ['p/a'] } as object
  expect(await codeOf(hers.commit({ objects: { add } }, told))).toBe('CAPS_DENIED')
})

describe('the log names', () => {
  const lastActor = async (vault: Vault) => {
    await vault.log.drain()
    return (await Array.fromAsync((await vault.log.read()).entries())).flat().at(-1)?.entry.actor
  }

  test('the key that proved it, and not one that was only said', async () => {
    await using space = await scratch()
    await createVault(space.at('v'), plain)
    await using vault = await openVault(space.at('v'), { actor: { name: 'ben', key: ben.key } })
    await vault.put(bytes('by the place'))
    expect(await lastActor(vault)).toMatchObject({ name: 'ben', key: vault.place.info.key, proven: true })
    await vault.issueCap({ to: ana.key, actions: ['write'], delegate: true, expires: null })
    await vault.issueCap({ to: ben.key, actions: ['write'], expires: null }, { signers: [ana] })
    expect(await lastActor(vault)).toMatchObject({ name: ana.key, key: ana.key, proven: true })
    await using hers = await openVault(space.at('v'), { as: [ana] })
    await hers.put(bytes('by ana'))
    expect(await lastActor(hers)).toMatchObject({ name: ana.key, key: ana.key, proven: true })
  })
})

describe('sets of revocations', () => {
  test('from the first on, certificates count only while a set is fresh enough for the action; the place goes on', async () => {
    await using space = await scratch()
    let now = new Date('2026-06-01T00:00:00Z')
    const clock = () => now
    const days = (count: number) => new Date(Date.UTC(2026, 5, 1 + count))
    await createVault(space.at('v'), { ...plain, clock })
    await using vault = await openVault(space.at('v'), { clock })
    const { id } = await vault.issueCap({ to: carol.key, actions: '*', expires: null })
    const { id: other } = await vault.issueCap({ to: ana.key, actions: ['read'], expires: null })
    await using hers = await openVault(space.at('v'), { clock, as: [carol] })
    await using lenient = await openVault(space.at('v'), { clock, as: [carol], freshness: { write: 40 * 86_400 } })
    const asHer = async (of = hers) => await of.require('write').then(() => 'granted', codeIn)
    const codeIn = (error: unknown) =>
      isVaultError(error) ? (error.details?.findings as { code: string }[] | undefined)?.[0]?.code : error
    // One who has verified her signature himself, as a server does.
    const forHer = () => vault.authorize({ signers: [carol.key], action: 'write', object: vault.id, at: now })
    expect(await asHer()).toBe('granted')
    await vault.revokeCap({ certificate: other })
    expect(await vault.publishRevocations(days(10))).toMatchObject({ from: days(0), until: days(10), revocations: 1 })
    // Said again in good time, it follows on.
    now = days(9)
    expect(await asHer()).toBe('granted')
    expect(await vault.publishRevocations(days(20))).toMatchObject({ from: days(10), until: days(20) })
    expect(await forHer()).toMatchObject({ proven: true })
    expect(await asHer()).toBe('granted')
    expect(await codeOf(vault.publishRevocations(days(20)))).toBe('CAPS_SET_ENDS')
    now = days(21)
    expect([await asHer(), await asHer(lenient)]).toEqual(['CAPS_STALE', 'granted'])
    expect(await codeIn(await forHer().catch((error) => error))).toBe('CAPS_STALE')
    await vault.put(bytes('by the place'))
    expect((await vault.caps.rootStanding()).standing).toBe('good')
    await vault.publishRevocations(days(30))
    expect(await asHer()).toBe('granted')
    // What the operators said before them, others need not believe.
    await vault.rotateKeys({ roles: ['operators'] })
    expect(await asHer()).toBe('CAPS_STALE')
    await vault.publishRevocations(days(40))
    expect(await asHer()).toBe('granted')
    await vault.revokeCap({ certificate: id })
    expect(await asHer()).toBe('CAPS_REVOKED')
    const forged = { key: 'rev-set:forged', type: 'revocation-set', fields: {} }
    expect(await codeOf(vault.commit({ entries: { put: [forged] } }))).toBe('CAPS_RESERVED')
  })
})
