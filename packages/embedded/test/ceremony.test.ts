import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { createSigner, generateSecretKey, systemRandom } from '@vault/core'
import { createPlan, fileNameOf, type PlanDraft } from '@vault/spki-caps/ceremony'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { describe, expect, test } from 'vitest'
import {
  CeremonyFolder,
  createVault,
  fileCommit,
  joinCeremony,
  openAgeIdentities,
  openMemberKeys,
  openVault,
  recoverKey,
} from '../src/index.ts'
import { scratch } from './scratch.ts'

type Space = Awaited<ReturnType<typeof scratch>>

const software = { name: 'test', version: '1', digest: null }
const clock = () => new Date()
const keyPair = () => {
  const secret = generateSecretKey(systemRandom)
  return { secret, signer: createSigner(secret) }
}

/** A vault with one owner, and a ceremony that gives it a council of three, of whose first key two others hold shares. */
async function council(space: Space, draft: Partial<PlanDraft> = {}) {
  const dir = space.at('vault')
  await createVault(dir, { passphrase: 'correct horse' })
  await using vault = await openVault(dir)
  const [ana, ben, eva, tom] = [keyPair(), keyPair(), keyPair(), keyPair()]
  const ages = { ben: await generateX25519Identity(), eva: await generateX25519Identity() }
  for (const [name, identity] of Object.entries(ages)) await writeFile(space.at(`${name}.age`), `# mine\n${identity}\n`)
  const { roles } = await vault.keys()
  const keys = [ana, ben, eva].map(({ signer }) => signer.key)
  const plan = await createPlan(
    {
      change: {
        history: (await vault.place.soups.tenures.keyEvents(vault.id)).map((event) => new Uint8Array(event)),
        why: 'rotate',
        roles: { ...roles, identity: { keys, threshold: 2 }, operators: { keys, threshold: 2 } },
      },
      splits: [
        {
          key: ana.signer.key,
          threshold: 2,
          holders: [
            { key: ben.signer.key, recipient: await identityToRecipient(ages.ben) },
            { key: eva.signer.key, recipient: await identityToRecipient(ages.eva) },
          ],
        },
      ],
      witnesses: { keys: [tom.signer.key], threshold: 1 },
      names: new Map([[ana.signer.key, 'ana']]),
      software,
      now: new Date(),
      expires: new Date(Date.now() + 60_000),
      random: systemRandom,
      ...draft,
    },
    ana.signer,
  )
  const folder = await CeremonyFolder.create(space.at('ceremony'), plan)
  const join = async (key: ReturnType<typeof keyPair>, name?: 'ben' | 'eva') => {
    const holds = name && {
      identities: await openAgeIdentities([space.at(`${name}.age`)]),
      shareDir: space.at(`shares-${name}`),
    }
    return await joinCeremony(folder, { key, software, clock, ...holds })
  }
  const owner = async () => {
    const keys = await openMemberKeys(dir, await folder.read(), async () => 'correct horse')
    return await Promise.all(keys.map((key) => joinCeremony(folder, { key, software, clock })))
  }
  return { dir, folder, join, owner, ana, ben, eva, tom }
}

describe('a ceremony in a folder', () => {
  test('gives a vault a council, whose shares give its key back', async () => {
    await using space = await scratch()
    const { dir, folder, join, owner, ana, ben, eva, tom } = await council(space)
    expect((await owner()).map(({ did }) => did)).toEqual([['contribution']])
    // Two of them need nothing but the folder: no vault, no server, no leave to enter one.
    expect(await join(ben)).toMatchObject({ did: ['contribution'], awaits: [ana.signer.key] })
    expect((await join(ana)).did).toEqual(['contribution'])
    await expect(join(ben)).rejects.toMatchObject({ code: 'CEREMONY_SHARE_WAITS' })
    expect((await join(ben, 'ben')).did).toEqual(['receipt'])
    await expect(fileCommit(folder)).rejects.toMatchObject({ code: 'CEREMONY_INCOMPLETE' })
    expect((await join(eva, 'eva')).did).toEqual(['contribution', 'receipt'])
    expect((await join(eva, 'eva')).did).toEqual([])
    await using vault = await openVault(dir)
    await expect(vault.adoptCeremony(folder)).rejects.toMatchObject({ code: 'CEREMONY_INCOMPLETE' })
    const { commit } = await fileCommit(folder)
    expect((await fileCommit(folder)).commit?.id).toBe(commit?.id)
    // The witness has not attested it, so the vault is as it was.
    await expect(vault.adoptCeremony(folder)).rejects.toMatchObject({ code: 'CEREMONY_INCOMPLETE' })
    expect((await vault.keys()).seq).toBe(0)
    expect((await join(tom)).did).toEqual(['attestation'])
    const adopted = await vault.adoptCeremony(folder, { motivation: 'three of us now' })
    expect(await vault.adoptCeremony(folder)).toEqual(adopted)
    expect(adopted.roles.operators).toEqual({
      keys: [ana, ben, eva].map(({ signer }) => signer.key).sort(),
      threshold: 2,
    })
    await vault.put(new TextEncoder().encode('after'))
    await vault.log.drain()
    const entries = []
    for await (const page of (await vault.log.read()).entries()) entries.push(...page)
    expect(entries.map(({ entry }) => entry.action.verb)).toEqual(['vault-init', 'key-transition', 'put'])
    expect(entries[1]?.entry.action.parameters).toMatchObject({ ceremony: { id: commit?.id } })
    // Each share lies with its holder, sealed; together they give the key back.
    const shares = await Promise.all(
      ['ben', 'eva'].map(async (name) =>
        space.at(`shares-${name}`, (await readdir(space.at(`shares-${name}`)))[0] as string),
      ),
    )
    const identities = await openAgeIdentities([space.at('ben.age'), space.at('eva.age')])
    await expect(recoverKey(shares)).rejects.toMatchObject({ code: 'KEY_SHARE_SEALED' })
    const one = await openAgeIdentities([space.at('ben.age')])
    await expect(recoverKey(shares, { identities: one })).rejects.toMatchObject({ code: 'KEY_SHARE_SEALED' })
    expect((await recoverKey(shares, { identities })).secret).toEqual(ana.secret)
  })

  test('refuses by name what is no file of it, and reads no link', async () => {
    await using space = await scratch()
    const { folder, join, ana, ben } = await council(space)
    await writeFile(space.at('elsewhere'), 'x')
    const hostile = [
      fileNameOf('contrib', ana.signer.key),
      fileNameOf('receipt', ben.signer.key),
      'attest-x.cbor',
    ] as const
    await symlink(space.at('elsewhere'), space.at('ceremony', hostile[0]))
    await mkdir(space.at('ceremony', hostile[1]))
    await writeFile(space.at('ceremony', hostile[2]), '')
    await truncate(space.at('ceremony', hostile[2]), 5 * 1024 * 1024)
    const found = (await folder.read()).findings.map(({ code, subject }) => [subject, code])
    expect(new Map(found as [string, string][])).toEqual(
      new Map([
        [hostile[0], 'CEREMONY_FILE_IRREGULAR'],
        [hostile[1], 'CEREMONY_FILE_IRREGULAR'],
        [hostile[2], 'CEREMONY_FILE_TOO_LARGE'],
      ]),
    )
    await expect(join(ben)).rejects.toMatchObject({ code: 'CEREMONY_REFUSED' })
    await expect(fileCommit(folder)).rejects.toMatchObject({ code: 'CEREMONY_REFUSED' })
    for (const name of hostile) await rm(space.at('ceremony', name), { recursive: true })
    expect((await join(ana)).did).toEqual(['contribution'])
    // What is there is never overwritten, and what a process left that died is no part of it.
    const name = fileNameOf('contrib', ana.signer.key)
    const bytes = await readFile(space.at('ceremony', name))
    await folder.file(name, bytes)
    await expect(folder.file(name, new Uint8Array(3))).rejects.toMatchObject({ code: 'CEREMONY_FILE_CONFLICT' })
    await writeFile(space.at('ceremony', `${fileNameOf('contrib', ben.signer.key)}.0123456789abcdef.tmp`), 'half')
    expect((await folder.read()).findings).toEqual([])
    expect((await readdir(space.at('ceremony'))).length).toBe(3)
  })

  test('takes nobody who has no part, no other plan, and no vault that it is not about', async () => {
    await using space = await scratch()
    const { folder, ana } = await council(space)
    const options = { key: keyPair(), software, clock }
    await expect(joinCeremony(folder, options)).rejects.toMatchObject({ code: 'CEREMONY_NOT_MEMBER' })
    const { id } = await folder.read()
    const other = id.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')) as typeof id
    await expect(joinCeremony(folder, { ...options, key: ana, plan: other })).rejects.toMatchObject({
      code: 'CEREMONY_FILE_FOREIGN',
    })
    await createVault(space.at('other'), { passphrase: undefined })
    await expect(openMemberKeys(space.at('other'), await folder.read(), async () => undefined)).rejects.toMatchObject({
      code: 'CEREMONY_NOT_MEMBER',
    })
    const { plan } = await folder.read()
    expect(plan.members.map(({ name }) => name)).toContain('ana')
    await expect(CeremonyFolder.create(space.at('ceremony'), await planAgain(ana))).rejects.toMatchObject({
      code: 'CEREMONY_EXISTS',
    })
  })

  test('takes no key event into another vault, nor one after which nothing could be logged', async () => {
    await using space = await scratch()
    const log = keyPair()
    const { dir, folder, join, owner, ana, ben, eva, tom } = await council(space, { splits: [] })
    await owner()
    for (const each of [ana, ben, eva]) await join(each)
    await fileCommit(folder)
    await join(tom)
    await createVault(space.at('other'), { passphrase: undefined })
    await using other = await openVault(space.at('other'))
    await expect(other.adoptCeremony(folder)).rejects.toMatchObject({ code: 'CEREMONY_OTHER_VAULT' })
    await using vault = await openVault(dir)
    const { roles } = await vault.keys()
    const history = (await vault.place.soups.tenures.keyEvents(vault.id)).map((event) => new Uint8Array(event))
    const change = {
      history,
      why: 'rotate' as const,
      roles: { ...roles, log: { keys: [log.signer.key], threshold: 1 } },
    }
    const times = { software, now: new Date(), expires: new Date(Date.now() + 60_000), random: systemRandom }
    const plan = await createPlan({ change, names: new Map(), ...times }, ana.signer)
    const away = await CeremonyFolder.create(space.at('away'), plan)
    for (const key of await openMemberKeys(dir, await away.read(), async () => 'correct horse'))
      await joinCeremony(away, { key, software, clock })
    await joinCeremony(away, { key: log, software, clock })
    await fileCommit(away)
    await expect(vault.adoptCeremony(away)).rejects.toMatchObject({ code: 'CEREMONY_LOG_KEY_MISSING' })
    // Nor with a file of that name that does not hold it.
    const { key } = log.signer
    await writeFile(space.at('vault', 'keys', `log-${key.slice(key.indexOf(':') + 1)}.key`), 'damaged')
    await expect(vault.adoptCeremony(away)).rejects.toMatchObject({ code: 'KEY_DAMAGED' })
    expect((await vault.keys()).seq).toBe(0)
  })
})

async function planAgain({ signer }: ReturnType<typeof keyPair>) {
  const holders = await Promise.all(
    [keyPair(), keyPair()].map(async (each) => ({
      key: each.signer.key,
      recipient: await identityToRecipient(await generateX25519Identity()),
    })),
  )
  const times = { software, now: new Date(), expires: new Date(Date.now() + 60_000), random: systemRandom }
  return await createPlan({ splits: [{ key: signer.key, threshold: 2, holders }], names: new Map(), ...times }, signer)
}

test('a file without an identity of age is none', async () => {
  await using space = await scratch()
  for (const text of ['', '# nothing\n', 'AGE-SECRET-KEY-1QQQ\n']) {
    await writeFile(space.at('file'), text)
    const opened = openAgeIdentities([space.at('file')])
    await expect(opened).rejects.toMatchObject({ code: 'KEY_AGE_IDENTITY_INVALID' })
    await expect(opened).rejects.not.toMatchObject({ message: expect.stringContaining('QQQ') })
  }
})
