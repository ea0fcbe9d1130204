import type { ContentId, Envelope, KeyState, Signer } from '@vault/core'
import { createInception, encodeEnvelope, hashBytes, link, verifyKeyHistory } from '@vault/core'
import type { Ceremony, CeremonyFile, PlanDraft, SealedShares } from '@vault/spki-caps/ceremony'
import {
  acknowledge,
  attest,
  COMMIT_FILE,
  commitCeremony,
  contribute,
  createPlan,
  fileNameOf,
  PLAN_FILE,
  partOf,
  readCeremony,
  receiptProof,
} from '@vault/spki-caps/ceremony'
import { signer } from '../world.ts'

// A vault of one owner that is to have a council of three as its identity, with shares of one key and two witnesses.

export const [owner, ana, ben, eva, tom, lea, mia] = ['owner', 'ana', 'ben', 'eva', 'tom', 'lea', 'mia'].map(
  signer,
) as [Signer, Signer, Signer, Signer, Signer, Signer, Signer]

export const NOW: Date = new Date('2026-03-01T10:00:00Z')
export const SOFTWARE = { name: 'test', version: '1', digest: null } as const
const HOUR = 60 * 60 * 1000

const one = (key: Signer) => ({ keys: [key.key], threshold: 1 })
const founded = await createInception(
  {
    roles: { identity: one(owner), operators: one(owner), log: one(owner) },
    nonce: new Uint8Array(16),
    at: new Date('2026-02-01T10:00:00Z'),
  },
  [owner],
)
export const history: readonly Envelope[] = [founded]
const before: KeyState = verifyKeyHistory(history)

/** The plan of the council, unless something else is said. */
export async function planOf(draft: Partial<PlanDraft> = {}): Promise<CeremonyFile> {
  const names = new Map([owner, ana, ben, eva, tom, lea].map(({ key }, i) => [key, `person${i}`]))
  const envelope = await createPlan(
    {
      change: {
        history: history.map(encodeEnvelope),
        why: 'rotate',
        roles: { ...before.roles, identity: { keys: [ana.key, ben.key, eva.key], threshold: 2 } },
      },
      splits: [
        {
          key: ana.key,
          threshold: 2,
          holders: [
            { key: ben.key, recipient: 'age1ben' },
            { key: eva.key, recipient: 'age1eva' },
          ],
        },
      ],
      witnesses: { keys: [tom.key, lea.key], threshold: 2 },
      names,
      software: SOFTWARE,
      now: NOW,
      expires: new Date(NOW.getTime() + 24 * HOUR),
      random: (length) => new Uint8Array(length).fill(7),
      ...draft,
    },
    owner,
  )
  return { name: PLAN_FILE, bytes: encodeEnvelope(envelope) }
}

const secretOf = (holder: Signer) => hashBytes('sha2-256', new TextEncoder().encode(`share of ${holder.key}`))

function sharesFor({ id }: Ceremony): SealedShares {
  const holders = [ben, eva]
  return {
    digests: holders.map((holder) => hashBytes('sha2-256', secretOf(holder))),
    proofs: holders.map((holder) => hashBytes('sha2-256', receiptProof(id, holder.key, secretOf(holder)))),
    sealed: holders.map(secretOf),
  }
}

/** All that a key owes for now, filed: as a program would that keeps no secrets. */
export async function join(
  files: readonly CeremonyFile[],
  member: Signer,
  now = NOW,
): Promise<readonly CeremonyFile[]> {
  const ceremony = readCeremony(files)
  const part = partOf(ceremony, member.key)
  const file = (kind: 'contrib' | 'receipt' | 'attest', envelope: Envelope) =>
    join([...files, { name: fileNameOf(kind, member.key), bytes: encodeEnvelope(envelope) }], member, now)
  if (part.contribute) {
    const shares = part.split === undefined ? null : sharesFor(ceremony)
    return await file('contrib', await contribute(ceremony, member, { now, software: SOFTWARE, shares }))
  }
  if (part.acknowledge.length > 0) {
    const shares = part.acknowledge.map(({ key: of }) => ({
      of,
      contribution: link((ceremony.contributions.get(of) as { readonly id: ContentId }).id),
      proof: receiptProof(ceremony.id, member.key, secretOf(member)),
    }))
    return await file('receipt', await acknowledge(ceremony, member, { now, shares }))
  }
  if (part.attest && ceremony.commit !== undefined)
    return await file('attest', await attest({ ...ceremony, commit: ceremony.commit }, member, { now }))
  return files
}

export function commit(files: readonly CeremonyFile[], now = NOW): readonly CeremonyFile[] {
  return [...files, { name: COMMIT_FILE, bytes: commitCeremony(readCeremony(files), now).bytes }]
}

/** The whole ceremony. */
export async function whole(draft: Partial<PlanDraft> = {}): Promise<readonly CeremonyFile[]> {
  let files: readonly CeremonyFile[] = [await planOf(draft)]
  for (const member of [owner, ana, ben, eva]) files = await join(files, member)
  files = commit(files)
  for (const witness of [tom, lea]) files = await join(files, witness)
  return files
}
