import { type ContentId, type KeyId, matchesId, publicKeyOf, VaultError } from '@vault/core'
import {
  type CapsErrorCode,
  covers,
  isName,
  type OpenCapCert,
  type Principal,
  principalText,
  type Tag,
  type VaultGrant,
  vaultGrantOf,
  vaultTag,
} from '@vault/spki-caps'
import type { CapGrant } from './issue-cap.ts'
import type { CapEntryErrorCode } from './revoke-cap.ts'

/** What of a certificate is granted on, and to whom. What is not named is as in the certificate; it may be granted on only where that is said. */
export interface CapNarrowing extends Partial<Omit<CapGrant, 'to'>> {
  readonly to: Principal
}

/** Throws `CAPS_WIDER`, with all that is more than the certificate grants. */
export function narrowedGrant(cert: OpenCapCert, narrowing: CapNarrowing, vault: ContentId): CapGrant {
  const { tag, expires, delegate, depth } = cert.record
  const held = vaultGrantOf(tag)
  const {
    actions = held?.actions ?? '*',
    path = held?.path ?? [],
    limits = held?.limits ?? [],
    expires: until = expires === null ? null : new Date(expires * 1000),
    delegate: further = false,
    depth: follow = further && depth !== null ? depth - 1 : undefined,
    ...rest
  } = narrowing
  const wider: string[] = []
  if (!delegate) wider.push('that it is granted on')
  else if (further && depth !== null && (follow === undefined || follow < 1 || follow >= depth))
    wider.push(`that ${follow ?? 'any number of'} more may follow, of ${depth - 1}`)
  if (expires !== null && (until === null || until.getTime() > expires * 1000))
    wider.push(`an end ${until === null ? 'never' : `at ${until.toISOString()}`}`)
  wider.push(...widerParts(tag, { actions, object: vault, path, limits }, held))
  if (wider.length > 0) throw tooWide(cert.id, wider)
  const grant = { ...rest, actions, path, limits, expires: until, delegate: further }
  return { ...grant, ...(further && follow !== undefined && { depth: follow }) }
}

function widerParts(tag: Tag, grant: VaultGrant, held: VaultGrant | undefined): readonly string[] {
  if (covers(tag, vaultTag(grant))) return []
  const object = { object: grant.object, path: grant.path ?? [] }
  const actions = grant.actions === '*' ? ['*'] : grant.actions
  const parts = actions
    .filter((action) => held !== undefined && held.actions !== '*' && !held.actions.includes(action))
    .map((action) => `the action ${action}`)
  const isOutside = !covers(tag, vaultTag({ ...grant, ...object, actions: held?.actions ?? '*' }))
  if (isOutside && held !== undefined) parts.push(`the path ${JSON.stringify(object.path.join('/'))}`)
  return parts.length > 0 ? parts : ['what it is about']
}

/** As whom these keys grant a certificate on. Throws `CAPS_DENIED` where it grants nothing to them. */
export function holderOf({ id, record: { subject } }: OpenCapCert, keys: readonly KeyId[]): Principal {
  const holder = speakerOf(subject, new Set(keys))
  if (holder !== undefined) return holder
  throw new VaultError<CapsErrorCode>({
    code: 'CAPS_DENIED',
    message: `The certificate ${id} grants to ${principalText(subject)}, as whom ${keys.join(' and ')} cannot sign: so it is not theirs to grant on.`,
    details: { certificate: id, subject: principalText(subject), keys },
  })
}

/** The principal itself, where these keys speak for it by themselves. */
export function speakerOf(subject: Principal, keys: ReadonlySet<KeyId>): Principal | undefined {
  if (typeof subject === 'string') return keys.has(subject) ? subject : undefined
  if ('hash' in subject) return [...keys].find((key) => matchesId(subject.hash.id, publicKeyOf(key)))
  // Whoever is called by a name is seen by the certificates that say so, and not by this one.
  if ('vault' in subject || isName(subject)) return undefined
  const members = subject.of.filter((member) => typeof member === 'string' && keys.has(member))
  return members.length >= subject.threshold ? subject : undefined
}

function tooWide(certificate: ContentId, wider: readonly string[]): VaultError<CapEntryErrorCode> {
  return new VaultError({
    code: 'CAPS_WIDER',
    message: `The certificate ${certificate} does not grant ${wider.join(', nor ')}. Ask for less, or let its issuer grant more. Nothing was changed.`,
    details: { certificate, wider },
  })
}
