import type { ContentId, Envelope, KeyState, Signer } from '@vault/core'
import {
  contentId,
  createInception,
  createKeyEvent,
  createSigner,
  hashBytes,
  utf8,
  verifyKeyHistory,
} from '@vault/core'
import type {
  AuthorityView,
  AuthorizeInput,
  CapCertDraft,
  NameCertDraft,
  Principal,
  Root,
  Tag,
  Verdict,
} from '@vault/spki-caps'
import {
  authorize,
  createCapCert,
  createCapRequest,
  createKeyDirectory,
  createNameCert,
  createNonceLedger,
  createRevocation,
  openProofCert,
  vaultTag,
} from '@vault/spki-caps'

/** The same signer for the same name, in every run. */
export function signer(name: string): Signer {
  return createSigner(hashBytes('sha2-256', utf8(`signer ${name}`)))
}

export const [ana, ben, eva, mia, tom] = ['ana', 'ben', 'eva', 'mia', 'tom'].map(signer) as [
  Signer,
  Signer,
  Signer,
  Signer,
  Signer,
]

/** The vault that is asked, and acted on. Its own keys have no part in most tests. */
export const HERE: ContentId = contentId(utf8('the vault that is asked'), { hash: 'sha2-256', codec: 'dag-cbor' })
export const NOW: Date = new Date('2026-01-15T12:00:00Z')
export const DAY: number = 24 * 60 * 60 * 1000

export function later(milliseconds: number): Date {
  return new Date(NOW.getTime() + milliseconds)
}

export const ALL: Tag = vaultTag({ actions: '*', object: HERE })
export const MIGRATE: Tag = vaultTag({ actions: ['migrate'], object: HERE })

/** A root of ana's, for everything on the vault, of which nobody keeps revocations. */
export const ROOT: Root = { name: 'ana', subject: ana.key, tag: ALL, delegate: true, revocations: 'none' }

/** 16 bytes that differ from call to call. */
let drawn = 0
export function nonce(): Uint8Array {
  return hashBytes('sha2-256', utf8(`nonce ${drawn++}`)).subarray(0, 16)
}

/** A certificate that is good unless something else is said: for everything on the vault, to be granted on, for a day. */
export async function cert(
  issuer: Signer | readonly Signer[],
  subject: Principal,
  draft: Partial<CapCertDraft> = {},
): Promise<Envelope> {
  const signers = Array.isArray(issuer) ? (issuer as readonly Signer[]) : [issuer as Signer]
  return await createCapCert(
    {
      issuer: (signers[0] as Signer).key,
      subject,
      tag: ALL,
      delegate: true,
      expires: later(DAY),
      nonce: nonce(),
      ...draft,
    },
    signers,
  )
}

/** Says for a day that somebody is called by a name of the first signer, unless something else is said. */
export async function nameCert(
  issuer: Signer | readonly Signer[],
  name: string,
  subject: Principal,
  draft: Partial<NameCertDraft> = {},
): Promise<Envelope> {
  const signers = Array.isArray(issuer) ? (issuer as readonly Signer[]) : [issuer as Signer]
  const said = { issuer: (signers[0] as Signer).key, name, subject, expires: later(DAY), nonce: nonce() }
  return await createNameCert({ ...said, ...draft }, signers)
}

/** A request to migrate, unless something else is said. */
export async function request(
  signers: readonly Signer[],
  draft: Partial<Parameters<typeof createCapRequest>[0]> = {},
): Promise<Envelope> {
  return await createCapRequest(
    {
      audience: HERE,
      action: 'migrate',
      object: { path: [HERE] },
      nonce: nonce(),
      at: later(-1000),
      expires: later(60_000),
      ...draft,
    },
    signers,
  )
}

export function authorizeHere(
  request: Envelope,
  proof: readonly Envelope[],
  input: Partial<AuthorizeInput> = {},
): Verdict {
  return authorize({
    request,
    proof,
    roots: [ROOT],
    audience: HERE,
    keys: createKeyDirectory([]),
    revocations: 'unchecked',
    nonces: createNonceLedger(),
    now: NOW,
    ...input,
  })
}

export async function revoke(
  issuer: Signer,
  target: Envelope | { readonly key: Signer['key'] },
  reason: 'superseded' | 'key-compromise' = 'superseded',
): Promise<Envelope> {
  const named: { certificate: ContentId } | { key: Signer['key'] } =
    'key' in target ? target : { certificate: openProofCert(target).id }
  return await createRevocation({ issuer: issuer.key, target: named, reason, at: NOW }, [issuer])
}

/** The keys of a vault after each of its events: the operators of the inception, then of every event. */
export async function keyStates(
  events: readonly { readonly operators: readonly Signer[]; readonly why?: 'rotate' | 'recover' }[],
  threshold = 1,
): Promise<readonly KeyState[]> {
  const identity = signer('identity')
  const rolesOf = (operators: readonly Signer[]) => ({
    identity: { keys: [identity.key], threshold: 1 },
    operators: { keys: operators.map(({ key }) => key), threshold },
    log: { keys: [identity.key], threshold: 1 },
  })
  const [first, ...others] = events
  const operators = first?.operators ?? []
  const founded = { roles: rolesOf(operators), nonce: new Uint8Array(16), at: later(-9 * DAY) }
  const history = [await createInception(founded, [identity, ...operators])]
  const states = [verifyKeyHistory(history)]
  for (const event of others) {
    const draft = {
      history: states.at(-1) as KeyState,
      why: event.why ?? ('rotate' as const),
      roles: rolesOf(event.operators),
      at: later(-5 * DAY),
    }
    history.push(await createKeyEvent(draft, [identity, ...event.operators]))
    states.push(verifyKeyHistory(history))
  }
  return states
}

/** What comes of these certificates where ana is the root and nothing was revoked, unless it is said otherwise. */
export function authorityView(certificates: readonly Envelope[], view: Partial<AuthorityView> = {}): AuthorityView {
  return { certificates, roots: [ROOT], keys: createKeyDirectory([]), revocations: 'unchecked', now: NOW, ...view }
}
