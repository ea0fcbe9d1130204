import {
  type AbortOptions,
  type ContentId,
  type Envelope,
  type Finding,
  type KeyId,
  type Signer,
  VaultError,
} from '@vault/core'
import {
  askedTag,
  type CapsErrorCode,
  createCapCert,
  indexTexts,
  knownVoices,
  lintTag,
  type OpenCapCert,
  openCapCert,
  type Principal,
  principalText,
  reduce,
  vaultPrincipal,
  vaultTag,
} from '@vault/spki-caps'
import type { VaultChange } from '../recorder.ts'
import { capEntries, DECLARATIONS } from './cap-entry.ts'
import type { VaultCaps } from './vault-caps.ts'

/** What a new certificate of a vault is to grant, and to whom. */
export interface CapGrant {
  readonly to: Principal
  readonly actions: readonly string[] | '*'
  /** Only what lies at or below this path. Default: the whole vault. */
  readonly path?: readonly string[]
  /** Whether it may be granted on. Default: `false`. */
  readonly delegate?: boolean
  /** How many certificates may follow. */
  readonly depth?: number
  /** `null`, which must be written, is for ever. */
  readonly expires: Date | null
  readonly notBefore?: Date
  readonly comment?: string
}

/** Who issues: as whom, and with which keys. */
export interface CapIssuer {
  readonly issuer: Principal
  readonly signers: readonly Signer[]
}

/** A certificate that was issued, and what may surprise whoever issued it. */
export interface IssuedCap {
  readonly id: ContentId
  readonly envelope: Envelope
  readonly findings: readonly Finding[]
}

/** Signs a certificate, and gives the change that brings it into the vault. */
export async function draftCap(
  caps: VaultCaps,
  grant: CapGrant,
  { issuer, signers }: CapIssuer,
  options: AbortOptions,
): Promise<IssuedCap & { readonly change: VaultChange }> {
  const { vault, random, soup } = caps.parts
  const { to, actions, path = [], ...rest } = grant
  const { seq } = await caps.keys(options)
  const tag = vaultTag({ actions, object: vault, path })
  const isVault = principalText(issuer) === principalText(vaultPrincipal(vault))
  if (!isVault && !(await isGrantedAnything(caps, issuer, options))) throw stranger(issuer)
  const draft = { ...rest, issuer, subject: to, tag, nonce: random(16), ...(isVault ? { epoch: seq } : {}) }
  const envelope = await createCapCert(draft, signers, options)
  const cert = openCapCert(envelope)
  const declared = await Promise.all(DECLARATIONS.map(({ key }) => soup.entry(key, options)))
  const put = [...DECLARATIONS.filter((_, i) => declared[i] === undefined), ...capEntries({ envelope, anchor: seq })]
  const keys = signers.map(({ key }) => key)
  const findings = [...lintTag(tag), ...(await shortcomings(caps, cert, { keys, actions, path }, options))]
  return { id: cert.id, envelope, findings, change: { entries: { put } } }
}

/** Why the issuer cannot grant it, action by action: none of it is an error, because it just does not count. */
async function shortcomings(
  caps: VaultCaps,
  cert: OpenCapCert,
  {
    keys,
    actions,
    path,
  }: { readonly keys: readonly KeyId[]; readonly actions: CapGrant['actions']; readonly path: readonly string[] },
  options: AbortOptions,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const circumstances = await caps.circumstances(options)
  for (const action of actions === '*' ? ['read'] : actions) {
    const { verdict, proof } = await caps.ask(keys, { action, path }, options)
    const tag = askedTag(action, { path: [caps.parts.vault, ...path] })
    // Whether the subject could use it shows when it asks: here it is enough that the chain holds up to it.
    const whole = verdict.ok
      ? reduce({ action, tag, voices: knownVoices(keys) }, [...proof, cert], circumstances)
      : verdict
    const refusal = whole.trace.find(
      (step) => step.refusal !== undefined && (step.kind !== 'request' || !verdict.ok),
    )?.refusal
    if (refusal !== undefined)
      findings.push({ code: refusal.code, message: `${action} would not be granted by it: ${refusal.message}.` })
  }
  return findings
}

/** A store that takes certificates of anybody could be filled by anybody. */
async function isGrantedAnything(caps: VaultCaps, issuer: Principal, options: AbortOptions): Promise<boolean> {
  const index = await caps.index(options)
  for (const text of indexTexts(issuer)) for await (const _ of index.naming(text, options)) return true
  return false
}

function stranger(issuer: Principal): VaultError<CapsErrorCode> {
  return new VaultError({
    code: 'CAPS_DENIED',
    message: `${principalText(issuer)} was granted nothing in this vault, so it has nothing to grant on. Let the vault's operators grant it something first.`,
    details: { issuer: principalText(issuer) },
  })
}
