import type { KeyId } from '@vault/core'
import { decodeEnvelope, encodeEnvelope, isVaultError, link, toHex, verifyKeyHistory } from '@vault/core'
import type { CeremonyFile, PlanDraft } from '@vault/spki-caps/ceremony'
import { COMMIT_FILE, fileNameOf, PLAN_FILE, readCeremony } from '@vault/spki-caps/ceremony'
import { commitOf } from '../../src/ceremony/commit.ts'
import { type Contribution, signContribution } from '../../src/ceremony/contribution.ts'
import { type Receipt, signReceipt } from '../../src/ceremony/receipt.ts'
import { ana, ben, commit, eva, history, join, lea, mia, NOW, owner, planOf, tom, whole } from './council.ts'

type Files = readonly CeremonyFile[]

/** What the files under `vectors/ceremony` hold, by their path there. Published cases never change; more come in new files. */
export async function ceremonyCases(): Promise<Record<string, readonly object[]>> {
  return {
    'ceremony/v1/valid/ceremonies.json': (await valid()).map(([name, files]) => ({
      name,
      files: written(files),
      ...judged(files),
    })),
    'ceremony/v1/invalid/ceremonies.json': (await invalid()).map(([name, files]) => ({
      name,
      files: written(files),
      ...judged(files),
    })),
  }
}

/** How a ceremony of these files is judged: all that a case says of it. */
export function judged(files: Files): object {
  try {
    const { id, phase, owed, findings, commit: held } = readCeremony(files)
    return {
      ...(findings.length > 0 && {
        code: findings[0]?.code,
        findings: findings.map(({ code, subject }) => ({ code, subject })),
      }),
      plan: id,
      phase,
      owed,
      ...(held && { transcript: held.id }),
      ...(held?.keyEvent && { event: toHex(encodeEnvelope(held.keyEvent)) }),
    }
  } catch (error) {
    if (!isVaultError(error)) throw error
    return { code: error.code }
  }
}

function written(files: Files): Record<string, string> {
  return Object.fromEntries(files.map(({ name, bytes }) => [name, toHex(bytes)]))
}

const named = (files: Files, name: string) => files.find((file) => file.name === name) as CeremonyFile
const without = (files: Files, ...names: readonly string[]) => files.filter(({ name }) => !names.includes(name))
const one = (key: KeyId) => ({ keys: [key], threshold: 1 })
const ALONE: Partial<PlanDraft> = { splits: [], witnesses: { keys: [], threshold: 0 } }
const { roles } = verifyKeyHistory(history)

async function valid(): Promise<readonly (readonly [string, Files])[]> {
  const all = await whole()
  const end: Partial<PlanDraft> = {
    ...ALONE,
    change: { history: history.map(encodeEnvelope), why: 'retire', roles },
  }
  const founding: Partial<PlanDraft> = {
    ...ALONE,
    change: {
      why: 'inception',
      roles: { identity: { keys: [ana.key, ben.key], threshold: 2 }, operators: one(ana.key), log: one(eva.key) },
      content: { hash: 'blake3', chunker: { kind: 'fixed', size: 1024 * 1024 } },
    },
  }
  let founded: Files = [await planOf(founding)]
  for (const member of [ana, ben, eva]) founded = await join(founded, member)
  return [
    ['a council replaces the identity, with shares and witnesses', all],
    ['a plan to which nobody has agreed yet', [named(all, PLAN_FILE)]],
    ['receipts are owed', without(all, ...namesOf('receipt', 'attest'), COMMIT_FILE)],
    ['it may be committed', without(all, ...namesOf('attest'), COMMIT_FILE)],
    ['one witness is owed', without(all, fileNameOf('attest', tom.key))],
    ['hidden files are no part of it', [...all, { name: '.DS_Store', bytes: new Uint8Array(3) }]],
    ['a vault ends', commit(await join([await planOf(end)], owner))],
    ['a vault is founded by two', commit(founded)],
  ]
}

const namesOf = (...kinds: readonly ('contrib' | 'receipt' | 'attest')[]) =>
  kinds.flatMap((kind) => [owner, ana, ben, eva, tom, lea].map(({ key }) => fileNameOf(kind, key)))

async function invalid(): Promise<readonly (readonly [string, Files])[]> {
  const all = await whole()
  const plan = named(all, PLAN_FILE)
  const begun = await join([plan], owner)
  const [agreed, from] = [fileNameOf('contrib', owner.key), named(begun, fileNameOf('contrib', owner.key)).bytes]
  // Another plan, for the very same key event.
  const other = await whole({ random: (length) => new Uint8Array(length).fill(8) })
  const { contributions, receipts } = readCeremony(all)
  const of = (key: KeyId) => contributions.get(key)?.record as Contribution
  const signed = async (said: Partial<Contribution>, by = owner, key = owner.key): Promise<CeremonyFile> => {
    const { type: _, v: __, ...record } = { ...of(key), ...said }
    return { name: fileNameOf('contrib', record.key), bytes: encodeEnvelope(await signContribution(record, by)) }
  }
  const early = readCeremony(begun)
  const { plan: _, ...receipt } = (receipts.get(eva.key) as { readonly record: Receipt }).record
  const kept = {
    plan: link(early.id),
    key: eva.key,
    at: receipt.at,
    shares: receipt.shares.map((share) => ({ ...share, proof: new Uint8Array(32) })),
  }
  const unproved = encodeEnvelope(await signReceipt(kept, eva))
  const foreign = (kind: 'contrib' | 'receipt' | 'attest', key: KeyId): Files => {
    const name = fileNameOf(kind, key)
    return [...without(all, name), named(other, name)]
  }
  const moved: readonly (readonly [string, Files])[] = [
    ['a contribution of another plan for the same event', foreign('contrib', owner.key)],
    ['a receipt of another plan for the same event', foreign('receipt', eva.key)],
    ['an attestation of another plan for the same event', foreign('attest', tom.key)],
    ['a commit of another plan for the same event', [...without(all, COMMIT_FILE), named(other, COMMIT_FILE)]],
    [
      'a signature of the event that was given to another plan, in the name of who gave it',
      [plan, await signed({ plan: link(early.id), event: of(owner.key).event }, mia)],
    ],
  ]
  return [
    ['no plan', without(all, PLAN_FILE)],
    ['a plan that its proposer has not signed', [await unsignedPlan()]],
    ['a file that a ceremony has not', [...begun, { name: 'notes.txt', bytes: new Uint8Array(3) }]],
    ['a contribution that is none', [plan, { name: agreed, bytes: new Uint8Array(9) }]],
    ['a contribution under the name of another', [plan, { name: fileNameOf('contrib', ana.key), bytes: from }]],
    [
      'two contributions of one key',
      [...begun, { name: 'contrib-copy.cbor', bytes: (await signed({ at: of(owner.key).at + 5 })).bytes }],
    ],
    ['a contribution of who has no part', [plan, await signed({ key: mia.key, event: null }, mia)]],
    ['a contribution that its key has not signed', [plan, await signed({}, ana)]],
    ['a signature of the event that is none', [plan, await signed({ event: new Uint8Array(64) })]],
    ['no signature of the event', [plan, await signed({ event: null })]],
    ['a contribution after the plan has expired', [plan, await signed({ at: NOW.getTime() / 1000 + 25 * 3600 })]],
    ['a key that is split, without its shares', [plan, await signed({ shares: null }, ana, ana.key)]],
    [
      'a receipt that proves nothing',
      [
        ...without(all, fileNameOf('receipt', eva.key), COMMIT_FILE, ...namesOf('attest')),
        { name: fileNameOf('receipt', eva.key), bytes: unproved },
      ],
    ],
    ['a commit before all was there', [...begun, { name: COMMIT_FILE, bytes: commitOf(early, early).bytes }]],
    ['a commit that names what is not there', without(all, fileNameOf('receipt', eva.key), ...namesOf('attest'))],
    ...moved,
  ]
}

async function unsignedPlan(): Promise<CeremonyFile> {
  const { payload, signatures } = decodeEnvelope((await planOf()).bytes)
  const bytes = encodeEnvelope({
    payload,
    signatures: signatures.map(({ signature }) => ({ key: ana.key, signature })),
  })
  return { name: PLAN_FILE, bytes }
}
