import { createSigner, generateSecretKey, isVaultError, systemRandom } from '@vault/core'
import { moveVault, planMigration } from '@vault/migration'
import { openCapCert, thresholdPrincipal } from '@vault/spki-caps'
import { describe, expect, test } from 'vitest'
import { createVault, moveSourceOf, openMoveTarget, openVault } from '../src/index.ts'
import { scratch } from './scratch.ts'

const [ana, ben, eva, carol] = Array.from({ length: 4 }, () => createSigner(generateSecretKey(systemRandom)))
if (!ana || !ben || !eva || !carol) throw new Error('there are four')
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

  test('is refused with its reason, and changes nothing', async () => {
    await using space = await scratch()
    await createVault(space.at('v'), plain)
    await using vault = await openVault(space.at('v'))
    const expires = new Date(Date.now() + 60_000)
    await vault.issueCap({ to: ana.key, actions: ['read'], delegate: true, expires })
    const widened = await vault.issueCap({ to: ben.key, actions: ['write'], expires }, { signers: [ana] })
    expect(widened.findings.map(({ code }) => code)).toContain('CAPS_NOT_COVERED')
    await vault.issueCap({ to: ben.key, actions: ['read'], path: ['docs'], expires }, { signers: [ana] })
    await vault.issueCap({ to: eva.key, actions: ['read'], path: ['docs'], expires }, { signers: [ben] })
    const codes = async (key: typeof ana.key, action: string, path?: string[]) => {
      const { verdict } = await vault.caps.ask([key], { action, ...(path && { path }) })
      return verdict.ok ? 'granted' : verdict.code
    }
    expect(await codes(ben.key, 'read', ['docs', 'a'])).toBe('granted')
    expect(await codes(ben.key, 'read', ['docs2'])).toBe('CAPS_NOT_COVERED')
    expect(await codes(ben.key, 'write')).toBe('CAPS_TAG_EMPTY')
    expect(await codes(eva.key, 'read', ['docs'])).toBe('CAPS_NOT_DELEGABLE')
    expect(await codes(carol.key, 'read')).toBe('CAPS_NO_CHAIN')
    const { sequence } = await vault.soup.tenure()
    const issued = vault.issueCap({ to: ana.key, actions: ['read'], expires: null }, { signers: [carol] })
    expect(await codeOf(issued)).toBe('CAPS_DENIED')
    const forged = { key: 'cap:forged', type: 'capability', fields: { anchor: 0 } }
    expect(await codeOf(vault.commit({ entries: { put: [forged] } }))).toBe('CAPS_RESERVED')
    expect((await vault.soup.tenure()).sequence).toBe(sequence)
  })
})
