import {
  contentId,
  createSigner,
  decodeEnvelope,
  encodeEnvelope,
  type Signer,
  systemRandom,
  utf8,
  type VaultId,
} from '@vault/core'
import {
  askedTag,
  authorize,
  type Circumstances,
  createCapCert,
  createCapRequest,
  createKeyDirectory,
  createNonceLedger,
  createSignatureMemo,
  knownVoices,
  openCapCert,
  type Question,
  type Root,
  reduce,
  type Verdict,
  vaultTag,
} from '@vault/spki-caps'
import { type Chain, changesOf, lengthOf } from './chain.ts'

export const vault: VaultId = contentId(utf8('bench'), { hash: 'sha2-256', codec: 'dag-cbor' })
const tag = vaultTag({ actions: ['migrate', 'read', 'write'], object: vault })

/** The signature of one person over everything that he is granted here, for the next. */
export const grant = async (from: Signer, to: Signer, expires: Date): Promise<Uint8Array> => {
  const draft = { issuer: from.key, subject: to.key, tag, delegate: true, expires, nonce: systemRandom(16) }
  return encodeEnvelope(await createCapCert(draft, [from]))
}

/** What one goes by who has given everything to the first. */
export function trusting({ key }: Signer, now: Date): Omit<Circumstances, 'memo'> {
  const root: Root = { name: 'bench', subject: key, tag, delegate: true, revocations: 'none' }
  return { roots: [root], keys: createKeyDirectory([]), revocations: 'unchecked', now }
}

/** What this one asks. */
export function questionOf({ key }: Signer): Question {
  return { action: 'migrate', tag: askedTag('migrate', { path: [vault] }), voices: knownVoices([key]) }
}

/** Throws where it is a no. */
export function demand(verdict: Verdict): void {
  if (!verdict.ok) throw new Error(verdict.code)
}

/** Certificates and a request of `@vault/spki-caps`. */
export async function vaultChain(secrets: readonly Uint8Array[], now: Date): Promise<Chain> {
  const people = secrets.map(createSigner)
  const [owner, asking] = [people[0], people.at(-1)] as [Signer, Signer]
  const expires = new Date(now.getTime() + 24 * 60 * 60 * 1000)
  const shown = await Promise.all(people.slice(1).map((to, i) => grant(people[i] as Signer, to, expires)))
  const ask = async (changed: { action?: string; path?: string } = {}, signer = asking): Promise<Uint8Array> => {
    const { action = 'migrate', path = vault } = changed
    const draft = { audience: vault, action, object: { path: [path] }, nonce: systemRandom(16), at: now, expires }
    return encodeEnvelope(await createCapRequest(draft, [signer]))
  }
  const circumstances = trusting(owner, now)
  const memo = createSignatureMemo()
  const judge = (request: Uint8Array, proof = shown, by: Circumstances = circumstances): void =>
    demand(
      authorize({
        ...by,
        request: decodeEnvelope(request),
        proof: proof.map((bytes) => decodeEnvelope(bytes)),
        audience: vault,
        nonces: createNonceLedger(),
      }),
    )
  const request = await ask()
  const certificates = shown.map((bytes) => openCapCert(decodeEnvelope(bytes)))
  const question = questionOf(asking)
  const [strayed, elsewhere, stolen] = [
    await ask({ action: 'delete' }),
    await ask({ path: 'another' }),
    await ask({}, people[1]),
  ]
  return {
    grants: shown,
    withRequest: lengthOf([...shown, request]),
    cold: () => judge(request),
    warm: () => judge(request, shown, { ...circumstances, memo }),
    judged: () => demand(reduce(question, certificates, { ...circumstances, memo })),
    refused: new Map<string, () => unknown>([
      ...shown.flatMap((bytes, i) =>
        changesOf(bytes).map(
          ([what, changed]) => [`grant ${i + 1}: ${what}`, () => judge(request, shown.with(i, changed))] as const,
        ),
      ),
      ...changesOf(request).map(([what, changed]) => [`request: ${what}`, () => judge(changed)] as const),
      ['another action', () => judge(strayed)],
      ['another vault', () => judge(elsewhere)],
      ['a request by another', () => judge(stolen)],
      ['expired', () => judge(request, shown, { ...circumstances, now: expires })],
    ]),
  }
}
