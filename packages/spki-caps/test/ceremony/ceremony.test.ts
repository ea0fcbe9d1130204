import { decodeEnvelope, encodeEnvelope, link, verifyKeyHistory } from '@vault/core'
import type { CeremonyFile } from '@vault/spki-caps/ceremony'
import {
  attest,
  commitCeremony,
  completeCommit,
  contribute,
  describeCeremony,
  fileNameOf,
  openPlan,
  PLAN_FILE,
  partOf,
  readCeremony,
} from '@vault/spki-caps/ceremony'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commitOf } from '../../src/ceremony/commit.ts'
import { signContribution } from '../../src/ceremony/contribution.ts'
import { signReceipt } from '../../src/ceremony/receipt.ts'
import { codeOf, runs } from '../support.ts'
import { ana, ben, commit, eva, history, join, lea, mia, NOW, owner, planOf, SOFTWARE, tom, whole } from './council.ts'

const codes = (files: readonly CeremonyFile[]) =>
  readCeremony(files).findings.map(({ code, subject }) => [code, subject])
const replaced = (files: readonly CeremonyFile[], name: string, bytes: Uint8Array) =>
  files.map((file) => (file.name === name ? { name, bytes } : file))
const bytesOf = (files: readonly CeremonyFile[], name: string) =>
  files.find((file) => file.name === name)?.bytes as Uint8Array
const tomorrow = new Date(NOW.getTime() + 25 * 60 * 60 * 1000)

describe('a ceremony', () => {
  test('is followed from its plan to the last witness, and gives the key event', async () => {
    let files: readonly CeremonyFile[] = [await planOf()]
    expect(readCeremony(files).owed.map(({ what, why, needed }) => [what, why, needed])).toEqual([
      ['contribution', 'identity-before', 1],
      ['contribution', 'identity', 2],
      ['contribution', 'possession', 3],
      ['contribution', 'shares', 1],
      ['receipt', 'storage', 2],
    ])
    // A holder contributes, and its receipt waits for whoever splits the key.
    files = await join(files, ben)
    expect(partOf(readCeremony(files), ben.key)).toMatchObject({
      contribute: false,
      acknowledge: [],
      awaits: [ana.key],
    })
    for (const member of [ana, owner, eva]) files = await join(files, member)
    expect(readCeremony(files).owed).toMatchObject([{ what: 'receipt', keys: [ben.key] }])
    files = await join(files, ben)
    expect(readCeremony(files)).toMatchObject({ phase: 'ready', owed: [], findings: [] })
    files = commit(files)
    expect(readCeremony(files)).toMatchObject({ phase: 'committed', owed: [{ what: 'attestation', needed: 2 }] })
    expect(codeOf(() => completeCommit(readCeremony(files)))).toBe('CEREMONY_INCOMPLETE')
    for (const witness of [tom, lea]) files = await join(files, witness)
    const done = readCeremony(files)
    expect(done).toMatchObject({ phase: 'complete', owed: [], findings: [] })
    const after = verifyKeyHistory([...history, done.commit?.keyEvent as (typeof history)[number]])
    expect(after.roles.identity).toEqual({ keys: [ana.key, ben.key, eva.key].sort(), threshold: 2 })
    expect(describeCeremony(done).at(-1)).toBe('It is complete, and holds.')
    // Nobody owes anything any more.
    for (const member of [owner, ana, ben, eva, tom, lea]) expect(await join(files, member)).toBe(files)
  })

  test('is the same in whatever order its files are read, and less of it is never more', async () => {
    const files = await whole()
    const id = readCeremony(files).commit?.id
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...files], { minLength: 1 }), async (some) => {
        if (!some.some(({ name }) => name === PLAN_FILE)) {
          expect(codeOf(() => readCeremony(some))).toBe('CEREMONY_PLAN_INVALID')
          return
        }
        const read = readCeremony(some)
        if (some.length === files.length)
          expect([read.commit?.id, read.phase, read.findings]).toEqual([id, 'complete', []])
        else expect(read.phase === 'complete' && read.findings.length === 0).toBe(false)
      }),
      runs(60),
    )
  })

  test('changes no verdict for the better where one byte of one file is another', async () => {
    const files = await whole()
    await fc.assert(
      fc.asyncProperty(fc.nat(files.length - 1), fc.nat(), fc.integer({ min: 1, max: 255 }), async (n, at, flip) => {
        const { name, bytes } = files[n] as CeremonyFile
        const changed = bytes.slice()
        changed[at % bytes.length] = (changed[at % bytes.length] as number) ^ flip
        const call = () => readCeremony(replaced(files, name, changed))
        const holds = codeOf(call) === undefined && call().phase === 'complete' && call().findings.length === 0
        expect(holds).toBe(false)
      }),
      runs(60),
    )
  })
})

describe('what others complain about', () => {
  // HashiCorp Vault #844: whoever gave a share to a rekey could not know with which parameters it would end.
  test('nobody agrees to parameters that are then swapped', async () => {
    const [first, other] = [await planOf(), await planOf({ witnesses: { keys: [], threshold: 0 } })]
    const files = await join([first], owner)
    const swapped = replaced(files, PLAN_FILE, other.bytes)
    expect(codes(swapped)).toEqual([['CEREMONY_FILE_FOREIGN', fileNameOf('contrib', owner.key)]])
    expect(readCeremony(swapped).contributions.size).toBe(0)
    await expect(join(swapped, ana)).rejects.toMatchObject({ code: 'CEREMONY_REFUSED' })
  })

  test('no part of one plan counts in another, though both have the same key event', async () => {
    const files = await whole()
    const swapped = replaced(files, PLAN_FILE, (await planOf({ random: (length) => new Uint8Array(length) })).bytes)
    const event = (all: readonly CeremonyFile[]) => readCeremony(all).event?.payload
    expect(event(swapped)).toEqual(event(files))
    expect(codes(swapped)).toEqual(
      files
        .map(({ name }) => ['CEREMONY_FILE_FOREIGN', name])
        .filter(([, name]) => name !== PLAN_FILE)
        .sort(([, a], [, b]) => ((a as string) < (b as string) ? -1 : 1)),
    )
    const { contributions, receipts, attestations, commit } = readCeremony(swapped)
    expect([contributions.size, receipts.size, attestations.size, commit]).toEqual([0, 0, 0, undefined])
    // The signature of the event alone is taken from nobody but who signs for this plan, too.
    const { id } = readCeremony(swapped)
    const given = readCeremony(files).contributions.get(owner.key)?.record
    const { type: _, v: __, ...said } = { ...(given as NonNullable<typeof given>), plan: link(id) }
    const name = fileNameOf('contrib', owner.key)
    const spliced = { name, bytes: encodeEnvelope(await signContribution(said, mia)) }
    expect(codes([swapped[0] as CeremonyFile, spliced])).toEqual([['CEREMONY_SIGNATURE', name]])
  })

  // HashiCorp Vault #845: the new shares were lost on their way, and the old ones had been replaced already.
  test('nothing is replaced before every share is kept', async () => {
    let files: readonly CeremonyFile[] = [await planOf()]
    for (const member of [owner, ana, ben]) files = await join(files, member)
    files = await join(files, eva)
    const lacking = files.filter(({ name }) => name !== fileNameOf('receipt', eva.key))
    expect(codeOf(() => commitCeremony(readCeremony(lacking), NOW))).toBe('CEREMONY_INCOMPLETE')
    // Nor is a commit taken that somebody made all the same.
    const forced = [...lacking, { name: 'commit.cbor', bytes: bytesOf(commit(files), 'commit.cbor') }]
    expect(codes(forced)).toEqual([['CEREMONY_COMMIT_INVALID', 'commit.cbor']])
    expect(readCeremony(forced).phase).toBe('open')
    const early = readCeremony(lacking)
    const sound = [...lacking, { name: 'commit.cbor', bytes: commitOf(early, early).bytes }]
    expect(codes(sound)).toEqual([['CEREMONY_COMMIT_INVALID', 'commit.cbor']])
    expect(readCeremony(sound).phase).toBe('open')
  })

  // HashiCorp Vault #8278: there was no way to see that all holders have stored their shares.
  test('a receipt proves that its share was decrypted', async () => {
    let files: readonly CeremonyFile[] = [await planOf()]
    for (const member of [owner, ana, ben]) files = await join(files, member)
    const { id, contributions } = readCeremony(files)
    const said = {
      plan: link(id),
      key: eva.key,
      shares: [
        { of: ana.key, contribution: link(contributions.get(ana.key)?.id as typeof id), proof: new Uint8Array(32) },
      ],
      at: NOW.getTime() / 1000,
    }
    const name = fileNameOf('receipt', eva.key)
    const made = [...files, { name, bytes: encodeEnvelope(await signReceipt(said, eva)) }]
    expect(codes(made)).toEqual([['CEREMONY_SHARES', name]])
    expect(readCeremony(made).owed.some(({ what }) => what === 'receipt')).toBe(true)
  })
})

describe('refuses', () => {
  const contributed = async () => await join([await planOf()], owner)
  const name = fileNameOf('contrib', owner.key)

  test('by name what comes from elsewhere', async () => {
    const files = await contributed()
    const bytes = bytesOf(files, name)
    const { id } = readCeremony(files)
    const foreign = await join([await planOf({ random: (length) => new Uint8Array(length) })], ana)
    const said = {
      plan: link(id),
      key: mia.key,
      event: null,
      shares: null,
      software: SOFTWARE,
      at: NOW.getTime() / 1000,
    }
    const cases: readonly [string, CeremonyFile][] = [
      ['CEREMONY_FILE_UNKNOWN', { name: 'notes.txt', bytes: new Uint8Array(3) }],
      ['CEREMONY_FILE_INVALID', { name: fileNameOf('contrib', ana.key), bytes: new Uint8Array(9) }],
      ['CEREMONY_FILE_INVALID', { name: fileNameOf('receipt', ana.key), bytes }],
      ['CEREMONY_FILE_NAME', { name: fileNameOf('contrib', ana.key), bytes }],
      ['CEREMONY_FILE_FOREIGN', foreign[1] as CeremonyFile],
      ['CEREMONY_NOT_MEMBER', { name: 'contrib-x.cbor', bytes: encodeEnvelope(await signContribution(said, mia)) }],
    ]
    for (const [code, file] of cases) expect(codes([...files, file])).toEqual([[code, file.name]])
  })

  test('signatures that are none', async () => {
    const ceremony = readCeremony([await planOf()])
    const said = { plan: link(ceremony.id), key: owner.key, shares: null, software: SOFTWARE, at: NOW.getTime() / 1000 }
    const event = new Uint8Array(64)
    const plan = await planOf()
    const by = async (signer: typeof ana) => [
      plan,
      { name, bytes: encodeEnvelope(await signContribution({ ...said, event }, signer)) },
    ]
    expect(codes(await by(owner))).toEqual([['CEREMONY_SIGNATURE', name]])
    expect(codes(await by(ana))).toEqual([['CEREMONY_SIGNATURE', name]])
    const bytes = encodeEnvelope(await signContribution({ ...said, event: null }, owner))
    expect(codes([plan, { name, bytes }])).toEqual([['CEREMONY_FILE_INVALID', name]])
  })

  test('two documents of one member, as evidence, and merges neither', async () => {
    const files = await contributed()
    const ceremony = readCeremony([files[0] as CeremonyFile])
    const later = { now: new Date(NOW.getTime() + 5000), software: SOFTWARE }
    const second = { name: 'contrib-copy.cbor', bytes: encodeEnvelope(await contribute(ceremony, owner, later)) }
    expect(codes([...files, second])).toEqual([
      ['CEREMONY_TWICE', 'contrib-copy.cbor'],
      ['CEREMONY_TWICE', name],
    ])
    expect(readCeremony([...files, second]).contributions.size).toBe(0)
  })

  test('a second document that comes after the commit, which it does not undo', async () => {
    const files = await whole()
    const { commit: before } = readCeremony(files)
    const uncommitted = readCeremony([files[0] as CeremonyFile])
    const again = { now: new Date(NOW.getTime() + 5000), software: SOFTWARE }
    const contribution = encodeEnvelope(await contribute(uncommitted, owner, again))
    const isReady = files.filter(({ name }) => !name.startsWith('attest-') && name !== 'commit.cbor')
    const { record } = readCeremony(files).receipts.get(eva.key) as { record: Parameters<typeof signReceipt>[0] }
    const { plan, key, shares } = record
    const receipt = encodeEnvelope(await signReceipt({ plan, key, shares, at: NOW.getTime() / 1000 + 9 }, eva))
    const committed = readCeremony([...isReady, ...files.filter(({ name }) => name === 'commit.cbor')])
    if (committed.commit === undefined) throw new Error('It is not committed.')
    const attestation = encodeEnvelope(await attest({ ...committed, commit: committed.commit }, tom, again))
    for (const [kind, member, bytes] of [
      ['contrib', owner.key, contribution],
      ['receipt', eva.key, receipt],
      ['attest', tom.key, attestation],
    ] as const) {
      const copy = `${kind}-copy.cbor`
      // Wherever the later one lies: it may also have taken the name of the first.
      const swapped = replaced(files, fileNameOf(kind, member), bytes)
      const first = { name: copy, bytes: bytesOf(files, fileNameOf(kind, member)) }
      for (const [all, expected] of [
        [[...files, { name: copy, bytes }], [['CEREMONY_TWICE', copy]]],
        [
          [...swapped, first],
          [
            ['CEREMONY_FILE_NAME', copy],
            ['CEREMONY_TWICE', fileNameOf(kind, member)],
          ],
        ],
      ] as const) {
        expect(codes(all)).toEqual(expected)
        const read = readCeremony(all)
        expect([read.phase, read.commit?.id]).toEqual(['complete', before?.id])
        expect(codeOf(() => completeCommit(read))).toBe('CEREMONY_REFUSED')
      }
    }
  })

  test('two documents of one member where the commit does not hold that would choose between them', async () => {
    let files: readonly CeremonyFile[] = [await planOf()]
    for (const member of [owner, ana, ben]) files = await join(files, member)
    const again = { now: new Date(NOW.getTime() + 5000), software: SOFTWARE }
    const second = encodeEnvelope(await contribute(readCeremony([files[0] as CeremonyFile]), owner, again))
    const early = readCeremony(files)
    const all = [
      ...files,
      { name: 'commit.cbor', bytes: commitOf(early, early).bytes },
      { name: 'contrib-copy.cbor', bytes: second },
    ]
    expect(codes(all)).toEqual([
      ['CEREMONY_COMMIT_INVALID', 'commit.cbor'],
      ['CEREMONY_TWICE', 'contrib-copy.cbor'],
      ['CEREMONY_TWICE', name],
    ])
    expect(readCeremony(all).contributions.has(owner.key)).toBe(false)
  })

  test('what is made outside of its time', async () => {
    const ceremony = readCeremony([await planOf()])
    const given = { now: tomorrow, software: SOFTWARE }
    await expect(contribute(ceremony, owner, given)).rejects.toMatchObject({ code: 'CEREMONY_EXPIRED' })
    const { id } = ceremony
    const event = (await join([await planOf()], owner)).map(({ bytes }) => bytes)[1] as Uint8Array
    expect(decodeEnvelope(event).signatures).toHaveLength(1)
    const record = readCeremony(await contributed()).contributions.get(owner.key)?.record
    const late = { ...(record as NonNullable<typeof record>), plan: link(id), at: tomorrow.getTime() / 1000 }
    const { type: _, v: __, ...said } = late
    const bytes = encodeEnvelope(await signContribution(said, owner))
    expect(codes([await planOf(), { name, bytes }])).toEqual([['CEREMONY_TIME', name]])
    let files: readonly CeremonyFile[] = [await planOf()]
    for (const member of [owner, ana, ben, eva]) files = await join(files, member)
    expect(codeOf(() => commitCeremony(readCeremony(files), tomorrow))).toBe('CEREMONY_EXPIRED')
  })

  test('plans that cannot be carried out', async () => {
    const refused = async (draft: Parameters<typeof planOf>[0]) => {
      const { bytes } = await planOf(draft)
      return codeOf(() => openPlan(bytes))
    }
    expect(await refused({ witnesses: { keys: [ana.key], threshold: 1 } })).toBe('CEREMONY_PLAN_INVALID')
    expect(await refused({ expires: NOW })).toBe('CEREMONY_PLAN_INVALID')
    const { bytes } = await planOf()
    const { payload } = decodeEnvelope(bytes)
    const other = decodeEnvelope(bytes).signatures.map(({ signature }) => ({ key: ana.key, signature }))
    expect(codeOf(() => openPlan(encodeEnvelope({ payload, signatures: other })))).toBe('CEREMONY_PLAN_INVALID')
    // The reason is a sentence of its own elsewhere, and ends like one only once.
    expect(() => openPlan(new Uint8Array(3))).toThrow(/CBOR\.$/)
    expect(() => openPlan(new Uint8Array(3))).not.toThrow(/\.\.$/)
  })
})
