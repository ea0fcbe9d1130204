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
  answer,
  type CapsErrorCode,
  type CertificateIndex,
  createCapCert,
  indexTexts,
  knownVoices,
  lintTag,
  type OnlineTest,
  type OpenCapCert,
  openCapCert,
  type Principal,
  principalText,
  reduce,
  type Tag,
  vaultTag,
} from '@vault/spki-caps'
import type { VaultChange } from '../recorder.ts'
import { bringing, capEntries, subjectPrefix } from './cap-entry.ts'
import { revocationStanding } from './revocation-standing.ts'
import type { VaultCaps, Wish } from './vault-caps.ts'

/** What a new certificate of a vault is to grant, and to whom. */
export interface CapGrant {
  readonly to: Principal
  readonly actions: readonly string[] | '*'
  /** Only what lies at or below this path. Default: the whole vault. */
  readonly path?: readonly string[]
  /** Further restrictions, as in `vaultTag` of `@vault/spki-caps`. */
  readonly limits?: readonly Tag[]
  /** Whether it may be granted on. Default: `false`. */
  readonly delegate?: boolean
  /** How many certificates may follow. */
  readonly depth?: number
  /** `null`, which must be written, is for ever. */
  readonly expires: Date | null
  readonly notBefore?: Date
  /** Sets of revocations and validations without which it does not hold. One for each request holds only for requests that a program signs itself. */
  readonly checks?: readonly OnlineTest[]
  readonly comment?: string
}

/** Who issues: as whom, and with which keys. */
export interface CapIssuer {
  readonly issuer: Principal
  readonly signers: readonly Signer[]
}

/** A certificate that was issued, and what may surprise whoever issued it. */
export interface IssuedCap extends DraftedCap {
  /** Other certificates that count with this one and did not before: what was granted on from one that was taken back or ended, and halves that it completes. */
  readonly revives: readonly ContentId[]
}

/** A certificate that is signed, and not in the vault yet. */
export interface DraftedCap {
  readonly id: ContentId
  readonly envelope: Envelope
  /** `null`: never. */
  readonly expires: Date | null
  readonly findings: readonly Finding[]
}

// A search reads some ten thousand of them in the time that a person waits.
const MOST_NAMING = 1_024

/** Signs a certificate, and gives the change that brings it into the vault. */
export async function draftCap(
  caps: VaultCaps,
  grant: CapGrant,
  { issuer, signers }: CapIssuer,
  options: AbortOptions,
): Promise<DraftedCap & { readonly change: VaultChange }> {
  const { vault, random, soup } = caps.parts
  const { to, actions, path = [], limits = [], ...rest } = grant
  const { seq } = await caps.keys(options)
  const tag = vaultTag({ actions, object: vault, path, limits })
  const isVault = caps.isVault(issuer)
  if (!isVault) await requireRoom(caps, to, options)
  const draft = { ...rest, issuer, subject: to, tag, nonce: random(16), ...(isVault ? { epoch: seq } : {}) }
  const envelope = await createCapCert(draft, signers, options)
  const cert = openCapCert(envelope)
  const keys = signers.map(({ key }) => key)
  const short = await shortcomings(caps, cert, { keys, actions, path }, options)
  // A vault that took certificates which count for nothing could be filled by anybody.
  const idle = short.filter(({ waits }) => !waits).map(({ finding }) => finding)
  if (!isVault && idle.length === (actions === '*' ? 1 : actions.length)) {
    const isStale = idle.some(({ code }) => code === 'CAPS_STALE')
    const standing = isStale ? await revocationStanding(caps, options) : undefined
    throw nothingToGrant(issuer, idle, standing?.current === false ? standing.advice : undefined)
  }
  const findings = [...lintTag(tag), ...short.map(({ finding }) => finding)]
  return {
    id: cert.id,
    envelope,
    expires: grant.expires,
    findings,
    change: await bringing(capEntries({ envelope, anchor: seq }), soup, options),
  }
}

/** Whoever asks has all read that name him, so nobody but the vault itself names anybody more often than this. Throws `CAPS_LIMIT`. */
export async function requireRoom(caps: VaultCaps, subject: Principal, options: AbortOptions): Promise<void> {
  for (const text of indexTexts(subject)) {
    let naming = 0
    for await (const page of caps.parts.soup.query({ prefix: subjectPrefix(text) }, options)) {
      naming += page.length
      if (naming < MOST_NAMING) continue
      throw new VaultError<CapsErrorCode>({
        code: 'CAPS_LIMIT',
        message: `There are ${MOST_NAMING} certificates that grant to ${text} or name it, and only the vault's operators add more. Nothing was issued.`,
        details: { limit: MOST_NAMING },
      })
    }
  }
}

/** Why an action is not granted by a certificate. */
interface Shortcoming {
  readonly finding: Finding
  /** Whether it comes to be granted by what others do: of a threshold each member may sign alone, and nobody validates what is not there. */
  readonly waits: boolean
}

/** Why the issuer cannot grant it, action by action. */
async function shortcomings(
  caps: VaultCaps,
  cert: OpenCapCert,
  {
    keys,
    actions,
    path,
  }: { readonly keys: readonly KeyId[]; readonly actions: CapGrant['actions']; readonly path: readonly string[] },
  options: AbortOptions,
): Promise<readonly Shortcoming[]> {
  const found: Shortcoming[] = []
  const circumstances = await caps.circumstances(options)
  for (const action of actions === '*' ? ['read'] : actions) {
    if (await isOfUse(caps, cert, { action, path }, options)) continue
    const { verdict, proof } = await caps.ask(keys, { action, path }, { ...options, as: cert.record.issuer })
    const tag = caps.tagOf({ action, path })
    // Whether the subject could use it shows when it asks: here it is enough that the chain holds up to it.
    const whole = verdict.ok
      ? reduce({ action, tag, voices: knownVoices(keys) }, [...proof, cert], circumstances)
      : verdict
    const refusal = whole.trace.find(
      (step) => step.refusal !== undefined && (step.kind !== 'request' || !verdict.ok),
    )?.refusal
    if (refusal === undefined) continue
    const { code, message } = refusal
    // The last of the halves that it takes.
    if (code === 'CAPS_BELOW_THRESHOLD' && (await isOfUse(caps, cert, { action, path }, { ...options, beside: true })))
      continue
    found.push({
      finding: { code, message: `${action} would not be granted by it: ${message}.` },
      // What its issuer has waits for nobody whom the certificate names.
      waits: code === 'CAPS_BELOW_THRESHOLD' || (code === 'CAPS_NOT_VALIDATED' && verdict.ok),
    })
  }
  return found
}

/** Whether those to whom it grants may do it by this certificate, and by no other that they have, or `beside` those. */
async function isOfUse(
  caps: VaultCaps,
  cert: OpenCapCert,
  wish: Wish,
  { beside = false, ...options }: AbortOptions & { readonly beside?: boolean },
): Promise<boolean> {
  const { subject } = cert.record
  const members =
    typeof subject === 'string'
      ? [subject]
      : 'threshold' in subject
        ? subject.of.filter((one) => typeof one === 'string')
        : []
  const texts = new Set(indexTexts(subject))
  const index = await caps.index(options)
  const only: CertificateIndex = {
    async *naming(text, abort) {
      if (texts.has(text)) yield cert.envelope
      if (beside || !texts.has(text)) yield* index.naming(text, abort)
    },
  }
  const question = { action: wish.action, tag: caps.tagOf(wish), voices: knownVoices(members) }
  const { verdict, proof } = await answer(question, only, await caps.circumstances(options), options)
  return verdict.ok && proof.some(({ id }) => id === cert.id)
}

function nothingToGrant(
  issuer: Principal,
  findings: readonly Finding[],
  advice: string | undefined,
): VaultError<CapsErrorCode> {
  const further = advice === undefined ? '' : ` Let the operators of the vault say anew what they revoked: ${advice}`
  return new VaultError({
    code: 'CAPS_DENIED',
    message: `${principalText(issuer)} has nothing of this to grant on: ${findings.map(({ message }) => message).join(' ')} Nothing was issued.${further}`,
    details: { issuer: principalText(issuer), findings, ...(advice !== undefined && { advice }) },
  })
}
