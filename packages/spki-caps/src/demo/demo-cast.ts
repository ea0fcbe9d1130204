import type { ContentId, Envelope, KeyState, Signer } from '@vault/core'
import {
  contentId,
  createInception,
  createKeyEvent,
  createSigner,
  hashBytes,
  toHex,
  utf8,
  verifyKeyHistory,
} from '@vault/core'
import type { CapCertDraft } from '../cap-cert.ts'
import { createCapCert, openCapCert } from '../cap-cert.ts'
import { createCapRequest } from '../cap-request.ts'
import { createNameCert } from '../name-cert.ts'
import type { Principal } from '../principal.ts'
import type { RevocationDraft } from '../revocation.ts'
import { createRevocation } from '../revocation.ts'
import type { Root } from '../root.ts'
import type { ValidationDraft } from '../validation.ts'
import { createValidation } from '../validation.ts'
import { vaultTag } from '../vault-tag.ts'

// Who is who in the demo chains. The keys are no secret: each is the hash of a name.

export function demoSigner(name: string): Signer {
  return createSigner(hashBytes('sha2-256', utf8(`demo key of ${name}`)))
}

export const [ana, ben, eva, mia]: readonly [Signer, Signer, Signer, Signer] = [
  demoSigner('ana'),
  demoSigner('ben'),
  demoSigner('eva'),
  demoSigner('mia'),
]

/** The vault that is asked. */
export const VAULT: ContentId = contentId(utf8('demo vault'), { hash: 'sha2-256', codec: 'dag-cbor' })
export const NOW: Date = new Date('2026-01-15T12:00:00Z')

export function hours(count: number): Date {
  return new Date(NOW.getTime() + count * 60 * 60 * 1000)
}

/** Ana may do everything with the vault, and grant it on. */
export const ROOT: Root = {
  name: 'ana',
  subject: ana.key,
  tag: vaultTag({ actions: '*', object: VAULT }),
  delegate: true,
  revocations: 'none',
}

/** A certificate for a day, to migrate and read, that may be granted on. Its nonce follows from what it says. */
export async function grant(
  signers: readonly Signer[],
  subject: Principal,
  draft: Partial<CapCertDraft> = {},
): Promise<Envelope> {
  const said = {
    issuer: (signers[0] as Signer).key,
    subject,
    tag: vaultTag({ actions: ['migrate', 'read'], object: VAULT }),
    delegate: true,
    expires: hours(24),
    ...draft,
  }
  return await createCapCert({ ...said, nonce: nonceOf(JSON.stringify(said)) }, signers)
}

/** Says for a day that somebody is called by a name of the signer. */
export async function callBy(
  signer: Signer,
  name: string,
  subject: Principal,
  expires: Date = hours(24),
): Promise<Envelope> {
  const said = { issuer: signer.key, name, subject, expires }
  return await createNameCert({ ...said, nonce: nonceOf(JSON.stringify(said)) }, [signer])
}

/** A request to migrate, made a minute ago. */
export async function ask(
  signers: readonly Signer[],
  draft: Partial<Parameters<typeof createCapRequest>[0]> = {},
): Promise<Envelope> {
  const said = {
    audience: VAULT,
    action: 'migrate',
    object: { path: [VAULT] },
    at: hours(-1 / 60),
    expires: hours(1),
    ...draft,
  }
  return await createCapRequest({ ...said, nonce: nonceOf(toHex(utf8(JSON.stringify(said)))) }, signers)
}

export async function revoke(by: Signer, target: RevocationDraft['target']): Promise<Envelope> {
  return await createRevocation({ issuer: by.key, target, reason: 'superseded', at: NOW }, [by])
}

/** Says that a certificate is good, from a minute ago on and for ten minutes. */
export async function validate(
  by: Signer,
  certificate: Envelope,
  draft: Partial<ValidationDraft> = {},
): Promise<Envelope> {
  const times = { from: hours(-1 / 60), until: hours(9 / 60) }
  return await createValidation({ issuer: by.key, certificate: openCapCert(certificate).id, ...times, ...draft }, [by])
}

/** All key events of a vault of which mia was the operator, and now ben is, because mia's key was lost. */
export async function lostVault(): Promise<readonly Envelope[]> {
  const keys = demoSigner('identity')
  const roles = (operator: Signer) => ({
    identity: { keys: [keys.key], threshold: 1 },
    operators: { keys: [operator.key], threshold: 1 },
    log: { keys: [keys.key], threshold: 1 },
  })
  const founded = { roles: roles(mia), nonce: nonceOf('house'), at: hours(-48) }
  const inception = await createInception(founded, [keys, mia])
  const history: KeyState = verifyKeyHistory([inception])
  const event = { history, why: 'recover' as const, roles: roles(ben), at: hours(-24) }
  return [inception, await createKeyEvent(event, [keys, ben])]
}

function nonceOf(text: string): Uint8Array {
  return hashBytes('sha2-256', utf8(`demo nonce ${text}`)).subarray(0, 16)
}
