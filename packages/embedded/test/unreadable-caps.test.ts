import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type ContentId, contentId, createSigner, encodeEnvelope, isVaultError, type Signer, utf8 } from '@vault/core'
import { createRevocation, openCapCert, openRevocation, vaultPrincipal } from '@vault/spki-caps'
import { describe, expect, test } from 'vitest'
import { subjectPrefix } from '../src/caps/cap-entry.ts'
import { createVault, diagnose, openVault, repairVault, unreadableCaps, type Vault } from '../src/index.ts'
import { scratch } from './scratch.ts'

const [ana, ben] = [1, 2].map((n) => createSigner(new Uint8Array(32).fill(n))) as [Signer, Signer]
const SOMETHING: ContentId = contentId(utf8('a revocation'), { hash: 'sha2-256', codec: 'dag-cbor' })

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => 'granted',
    (error) => (isVaultError(error) ? error.code : error),
  )
}

/** A vault in which ana may write. */
async function vaultWith(dir: string): Promise<void> {
  await createVault(dir, { passphrase: undefined })
  await using vault = await openVault(dir)
  await vault.issueCap({ to: ana.key, actions: ['read', 'write'], expires: null, delegate: true })
}

/** Past all that issues and revokes: as another version would have written it, or a fault. */
async function put(vault: Vault, key: string, type: string, fields: Record<string, unknown>): Promise<void> {
  const { epoch } = await vault.soup.tenure()
  await vault.soup.commit({ epoch, entries: { put: [{ key, type, fields: fields as never }] } })
}

async function writes(dir: string, as?: Signer): Promise<unknown> {
  await using vault = await openVault(dir, as && { as: [as] })
  return await codeOf(vault.put(utf8('x')))
}

async function why(dir: string): Promise<unknown> {
  await using vault = await openVault(dir)
  const { verdict } = await vault.caps.ask([ana.key], { action: 'write' })
  return verdict.ok ? 'granted' : verdict.code
}

describe('a revocation that cannot be read', () => {
  test.each<[string, (vault: Vault) => Promise<readonly [string, unknown]>]>([
    ['is no envelope', async () => [SOMETHING, new Uint8Array(9)]],
    ['has none', async () => [SOMETHING, null]],
    [
      'is another one than its key says',
      async (vault) => {
        const issuer = vaultPrincipal(vault.id)
        const { envelope } = openRevocation(
          await createRevocation({ issuer, epoch: 0, target: { key: ben.key }, reason: 'cessation', at: new Date() }, [
            ben,
          ]),
        )
        return [SOMETHING, encodeEnvelope(envelope)]
      },
    ],
    [
      'is signed by none who may',
      async (vault) => {
        const issuer = vaultPrincipal(vault.id)
        const envelope = await createRevocation(
          { issuer, epoch: 0, target: { key: ben.key }, reason: 'cessation', at: new Date() },
          [ben],
        )
        return [openRevocation(envelope).id, encodeEnvelope(envelope)]
      },
    ],
  ])('because it %s lets no certificate count, and the vault itself mends it', async (_, make) => {
    await using space = await scratch()
    const dir = space.at('v')
    await vaultWith(dir)
    expect(await writes(dir, ana)).toBe('granted')
    let id = ''
    {
      await using vault = await openVault(dir)
      const [named, envelope] = await make(vault)
      id = named
      await put(vault, `rev:${id}`, 'revocation', { envelope })
    }
    expect(await writes(dir, ana)).toBe('CAPS_DENIED')
    expect(await why(dir)).toBe('CAPS_STALE')
    // Who has the folder goes on, and is told.
    expect(await writes(dir)).toBe('granted')
    const wrong = (await diagnose(dir)).checks.filter(({ ok }) => !ok)
    expect(wrong).toMatchObject([{ name: 'capabilities', lost: 'no' }])
    expect(wrong[0]?.advice).toContain(id)
    await using vault = await openVault(dir)
    expect(await unreadableCaps(vault.caps)).toEqual([{ entry: `rev:${id}`, kind: 'revocation', refuses: true }])
    // Nobody else says that it need not be waited for.
    expect(await codeOf(vault.revokeCap({ certificate: id as ContentId }, { signers: [ana] }))).toBe('CAPS_UNKNOWN')
    await vault.revokeCap({ certificate: id as ContentId })
    expect(await writes(dir, ana)).toBe('granted')
    expect((await diagnose(dir)).ok).toBe(true)
    // And it can be said which revocations there are.
    await vault.publishRevocations(new Date(Date.now() + 60_000))
    expect(await writes(dir, ana)).toBe('granted')
  })

  test('does not keep anything taken back from being so', async () => {
    await using space = await scratch()
    const dir = space.at('v')
    await vaultWith(dir)
    await using vault = await openVault(dir)
    const root = await vault.caps.rootCertificate()
    if (root === undefined) throw new Error('there is one')
    await vault.revokeCap({ certificate: openCapCert(root).id })
    await put(vault, `rev:${SOMETHING}`, 'revocation', { envelope: new Uint8Array(9) })
    expect(await codeOf(vault.put(utf8('x')))).toBe('CAPS_DENIED')
    await vault.revokeCap({ certificate: SOMETHING })
    expect(await codeOf(vault.put(utf8('x')))).toBe('CAPS_DENIED')
  })

  test('is none where its key is no id', async () => {
    await using space = await scratch()
    const dir = space.at('v')
    await vaultWith(dir)
    await using vault = await openVault(dir)
    await put(vault, 'rev:nothing', 'revocation', { envelope: new Uint8Array(9) })
    expect(await writes(dir, ana)).toBe('granted')
    expect(await unreadableCaps(vault.caps)).toEqual([{ entry: 'rev:nothing', kind: 'revocation', refuses: false }])
    expect((await diagnose(dir)).ok).toBe(true)
  })
})

test('a set of revocations that cannot be read lets no certificate count until another one is published', async () => {
  await using space = await scratch()
  const dir = space.at('v')
  await vaultWith(dir)
  await using vault = await openVault(dir)
  await put(vault, `rev-set:${SOMETHING}`, 'revocation-set', { envelope: new Uint8Array(9) })
  expect(await writes(dir, ana)).toBe('CAPS_DENIED')
  expect(await why(dir)).toBe('CAPS_STALE')
  expect(await writes(dir)).toBe('granted')
  expect((await diagnose(dir)).checks.filter(({ ok }) => !ok)).toMatchObject([{ name: 'capabilities' }])
  await vault.publishRevocations(new Date(Date.now() + 60_000))
  expect(await writes(dir, ana)).toBe('granted')
  expect((await diagnose(dir)).ok).toBe(true)
})

test('a validation that cannot be read, or is not that of its key, lets nothing hold until there is another one', async () => {
  await using space = await scratch()
  const dir = space.at('v')
  await vaultWith(dir)
  await using vault = await openVault(dir)
  const checks = [{ by: ana.key, maxAge: 600, kind: 'validation' }] as const
  const { id } = await vault.issueCap({ to: ben.key, actions: ['write'], expires: null, checks })
  const other = await vault.issueCap({ to: ben.key, actions: ['read'], expires: null, checks })
  const until = new Date(Date.now() + 60_000)
  await vault.validateCap(other.id, until, { signers: [ana] })
  const [[key, good] = []] = [...(await vault.caps.validations())]
  if (key === undefined || good === undefined) throw new Error('it is kept')
  const wrong = key.replace(other.id, id)
  await put(vault, wrong, 'capability-validation', { envelope: encodeEnvelope(good.envelope) })
  expect(await writes(dir, ben)).toBe('CAPS_DENIED')
  expect(await unreadableCaps(vault.caps)).toEqual([{ entry: wrong, kind: 'validation', refuses: false }])
  expect((await diagnose(dir)).checks.filter(({ ok }) => !ok)).toMatchObject([{ name: 'capabilities' }])
  await vault.validateCap(id, until, { signers: [ana] })
  expect(await writes(dir, ben)).toBe('granted')
  expect((await diagnose(dir)).ok).toBe(true)
})

test('a certificate that cannot be read grants nothing, and keeps nobody from what others grant', async () => {
  await using space = await scratch()
  const dir = space.at('v')
  await vaultWith(dir)
  await using vault = await openVault(dir)
  await put(vault, `cap:${SOMETHING}`, 'capability', { envelope: new Uint8Array(9), anchor: 0 })
  for (const { key } of [ana, ben]) await put(vault, `${subjectPrefix(key)}${SOMETHING}`, 'capability-subject', {})
  expect(await writes(dir, ana)).toBe('granted')
  expect(await writes(dir, ben)).toBe('CAPS_DENIED')
  expect(await unreadableCaps(vault.caps)).toEqual([{ entry: `cap:${SOMETHING}`, kind: 'certificate', refuses: false }])
  // Issuing, revoking and looking go on beside it.
  const { id } = await vault.issueCap({ to: ben.key, actions: ['read'], expires: null }, { signers: [ana] })
  await vault.revokeCap({ certificate: id }, { signers: [ana] })
  expect(await codeOf(vault.revokeCap({ certificate: SOMETHING }))).toBe('CAPS_UNKNOWN')
})

/** Ways in which the record of a root certificate holds none that can be read. */
const DAMAGE: readonly (readonly [what: string, damage: (dir: string, record: string) => Promise<void>])[] = [
  [
    'cannot be read',
    async (dir, record) => {
      await using vault = await openVault(dir)
      const { records } = vault.place.soups
      await records.swap(record, (await records.read(record))?.version ?? 0, new Uint8Array(9))
    },
  ],
  ['has a row with another checksum', (dir, record) => flip(dir, record, '"check" = "check" + 1')],
  ['has a row with another version', (dir, record) => flip(dir, record, 'version = version + 1')],
  // The bytes are a sound certificate: it is the row that is not what was written.
  ['has a row with a wrong checksum over sound bytes', (dir, record) => flip(dir, record, '"check" = 0')],
]

async function flip(dir: string, record: string, change: string): Promise<void> {
  const db = new DatabaseSync(join(dir, 'soup.sqlite'))
  try {
    const { changes } = db.prepare(`UPDATE records SET ${change} WHERE key = ?`).run(record)
    expect(changes).toBe(1)
  } finally {
    db.close()
  }
}

test.each(DAMAGE)(
  'a root certificate that %s is not counted: the vault is read, and changed by certificates alone',
  async (_, damage) => {
    await using space = await scratch()
    const dir = space.at('v')
    await vaultWith(dir)
    let record = ''
    {
      await using vault = await openVault(dir)
      record = `root-certificate/${vault.id}`
    }
    await damage(dir, record)
    {
      await using vault = await openVault(dir, { mode: 'read' })
      expect(await unreadableCaps(vault.caps)).toEqual([{ entry: record, kind: 'root-certificate', refuses: false }])
      expect(await vault.caps.rootCertificate()).toBeUndefined()
      const advice = expect.stringContaining(`vaultctl caps publish ${dir}`)
      expect((await vault.status()).damagedRoot).toEqual({ record, advice })
    }
    expect(await writes(dir)).toBe('CAPS_DENIED')
    expect(await writes(dir, ana)).toBe('granted')
    const wrong = (await diagnose(dir)).checks.filter(({ ok }) => !ok)
    expect(wrong).toMatchObject([{ name: 'capabilities', lost: 'no', message: expect.stringContaining(record) }])
    await using vault = await openVault(dir)
    // Nobody renews it by opening the vault, nor who is no operator.
    await vault.issueCap({ to: ben.key, actions: ['read'], expires: null }, { signers: [ana] })
    expect((await vault.caps.rootStanding()).standing).toBe('unreadable')
    // What was granted to the place besides it has.
    await vault.issueCap({ to: vault.place.info.key, actions: ['write'], expires: null }, { signers: [ana] })
    expect(await codeOf(vault.require('write'))).toBe('granted')
    expect(await codeOf(vault.require('reclaim'))).toBe('CAPS_DENIED')
    await vault.issueCap({ to: ben.key, actions: ['read'], expires: null })
    expect((await vault.caps.rootStanding()).standing).toBe('good')
    expect(await codeOf(vault.require('reclaim'))).toBe('granted')
    expect((await diagnose(dir)).ok).toBe(true)
    expect(await vault.status()).not.toHaveProperty('damagedRoot')
  },
)

test('a scrub goes on past the damaged row of a root certificate and says what to do, and a repair leaves it to the operators', async () => {
  await using space = await scratch()
  const dir = space.at('v')
  await vaultWith(dir)
  {
    await using vault = await openVault(dir)
    await vault.put(utf8('content'))
    await flip(dir, `root-certificate/${vault.id}`, '"check" = "check" + 1')
  }
  const left = {
    ok: false,
    objects: 1,
    damaged: [
      {
        code: 'CAPS_MALFORMED',
        subject: expect.stringMatching(/^root-certificate\/b/),
        message: expect.stringContaining(`vaultctl caps publish ${dir}`),
      },
    ],
  }
  {
    await using vault = await openVault(dir, { mode: 'read' })
    expect((await Array.fromAsync(vault.scrub())).at(-1)).toMatchObject(left)
  }
  expect((await Array.fromAsync(repairVault(dir))).at(-1)).toMatchObject({ ...left, repaired: [], lost: [] })
  expect(await writes(dir)).toBe('CAPS_DENIED')
  await using vault = await openVault(dir)
  await vault.issueCap({ to: ben.key, actions: ['read'], expires: null })
  expect((await Array.fromAsync(vault.scrub())).at(-1)).toMatchObject({ ok: true, damaged: [] })
  expect(await codeOf(vault.put(utf8('more')))).toBe('granted')
})
