import { type AbortOptions, type ContentId, type KeyId, VaultError } from '@vault/core'
import {
  authorityTrees,
  type CapsErrorCode,
  createRevocation,
  type GrantNode,
  isNameCert,
  namePrincipal,
  type OpenCapCert,
  type OpenProofCert,
  openCapCert,
  openProofCert,
  openRevocation,
  type Principal,
  principalText,
  type RevocationReason,
} from '@vault/spki-caps'
import type { VaultChange } from '../recorder.ts'
import { bringing, revocationEntry } from './cap-entry.ts'
import type { CapIssuer } from './issue-cap.ts'
import type { VaultCaps } from './vault-caps.ts'

/** A certificate by its id, or all that a key signs. */
export type RevokedThing = { readonly certificate: ContentId } | { readonly key: KeyId }

/** Signs a revocation, and gives the change that brings it into the vault. Throws `CAPS_DENIED` where it would not count. */
export async function draftRevocation(
  caps: VaultCaps,
  target: RevokedThing,
  { issuer, signers, reason }: CapIssuer & { readonly reason: RevocationReason },
  options: AbortOptions,
): Promise<{ readonly id: ContentId; readonly change: VaultChange }> {
  const { clock, soup } = caps.parts
  const isVault = caps.isVault(issuer)
  if (!isVault) await requireUpstream(caps, target, issuer, options)
  else if ('certificate' in target && !(await isUnread(caps, target.certificate, options)))
    await knownCert(caps, target.certificate, options)
  const { seq } = await caps.keys(options)
  const draft = { issuer, target, reason, at: clock(), ...(isVault ? { epoch: seq } : {}) }
  const envelope = await createRevocation(draft, signers, options)
  return { id: openRevocation(envelope).id, change: await bringing([revocationEntry(envelope)], soup, options) }
}

/** Whether it is a revocation that cannot be read: the vault itself says that nothing needs to be waited for with it. */
async function isUnread(caps: VaultCaps, id: ContentId, options: AbortOptions): Promise<boolean> {
  const { unread } = (await caps.revocations(options)).view
  return unread?.some(({ subject }) => subject === id) === true
}

/** Only who issued a certificate, or those from whom the issuer has what it grants, take it back; a key is given up by itself. */
async function requireUpstream(
  caps: VaultCaps,
  target: RevokedThing,
  by: Principal,
  options: AbortOptions,
): Promise<void> {
  const wanted = principalText(by)
  if ('key' in target) {
    if (target.key === wanted && (await isNamed(caps, target.key, options))) return
    throw refused(wanted, target.key)
  }
  const index = await caps.index(options)
  const cert = await knownCert(caps, target.certificate, options)
  const seen = new Set<string>()
  const waiting = [...textsAbove(cert)]
  for (let text = waiting.pop(); text !== undefined; text = waiting.pop()) {
    if (text === wanted) return
    if (seen.has(text)) continue
    seen.add(text)
    for await (const envelope of index.naming(text, options)) waiting.push(...textsAbove(openProofCert(envelope)))
  }
  if (await isBefore(caps, wanted, cert, options)) return
  throw refused(wanted, target.certificate)
}

/** Whether somebody has issued one before it in a chain: a grant to a longer name rests on all who say whose name that is. */
async function isBefore(caps: VaultCaps, by: string, { id }: OpenProofCert, options: AbortOptions): Promise<boolean> {
  const { trees } = authorityTrees(await caps.view({ ...options, place: true }), { together: false })
  const before = new Set(trees.flatMap(({ below }) => rowsTo(id, below)))
  for (const each of before) {
    if (principalText((await knownCert(caps, each, options)).record.issuer) === by) return true
  }
  return false
}

/** The certificates of all rows of a tree that end with this one. */
function rowsTo(id: ContentId, nodes: readonly GrantNode[]): readonly ContentId[] {
  return nodes.flatMap(({ certificate, refusal, below }) => {
    if (certificate === id) return refusal === undefined ? [id] : []
    const row = rowsTo(id, below)
    return row.length > 0 ? [certificate, ...row] : []
  })
}

/** From whom its subject has what it has: its issuer, and those who have granted to the name. */
function textsAbove(cert: OpenProofCert): readonly string[] {
  const { issuer } = cert.record
  const names = isNameCert(cert) ? [principalText(namePrincipal(cert.record.issuer, cert.record.name))] : []
  return [principalText(issuer), ...names]
}

/** Whether anything was granted to it, and it was not given up already: nobody else has anything to take back here. */
async function isNamed(caps: VaultCaps, key: KeyId, options: AbortOptions): Promise<boolean> {
  const { revocations } = await caps.circumstances(options)
  if (revocations !== 'unchecked' && revocations.revokers(key).includes(key)) return false
  const index = await caps.index(options)
  for await (const _ of index.naming(key, options)) return true
  return false
}

/** A certificate that grants. Throws `CAPS_UNKNOWN`. */
export async function knownCap(caps: VaultCaps, id: ContentId, options: AbortOptions): Promise<OpenCapCert> {
  const cert = await knownCert(caps, id, options)
  if (!isNameCert(cert)) return cert
  throw new VaultError<CapEntryErrorCode>({
    code: 'CAPS_UNKNOWN',
    message: `The certificate ${id} only says who is called by a name. Name one that grants something to the name.`,
    details: { id },
  })
}

/** A certificate that grants, or names. Throws `CAPS_UNKNOWN`. */
async function knownCert(caps: VaultCaps, id: ContentId, options: AbortOptions): Promise<OpenProofCert> {
  const root = await caps.rootCertificate(options)
  const isRoot = root !== undefined && openCapCert(root).id === id
  const envelope = isRoot ? root : await caps.certificates.read(id, options)
  if (envelope !== undefined) return openProofCert(envelope)
  throw new VaultError<CapEntryErrorCode>({
    code: 'CAPS_UNKNOWN',
    message: `There is no certificate ${id} in this vault. "vaultctl caps show" lists those that there are.`,
    details: { id },
  })
}

function refused(by: string, what: string): VaultError<CapsErrorCode> {
  return new VaultError({
    code: 'CAPS_DENIED',
    message: `${by} cannot revoke ${what}: only its issuer can, those from whom the issuer has what it grants, and the vault's operators. Nothing was changed.`,
    details: { by, what },
  })
}

/** The `code` of the errors about certificates that a vault keeps. */
export type CapEntryErrorCode =
  /** The vault has no certificate of this id. `details.id`. */
  | 'CAPS_UNKNOWN'
  /** What was to be granted on by a certificate is more than it grants. `details.certificate`, `details.wider`. */
  | 'CAPS_WIDER'
  /** A set of revocations would end before it begins: the last one counts up to then. `details.from`, `details.until`. */
  | 'CAPS_SET_ENDS'
  /** A change names entries in which certificates are kept: they come by being issued. `details.key`. */
  | 'CAPS_RESERVED'
  /** Too few of the operators' keys are at hand to act for the vault. `details.needed`, `details.held`, `details.keys`. */
  | 'CAPS_OPERATORS_MISSING'
  /** The signers together are nobody to whom something was granted, or they can speak for several who validate a certificate, so it is not told as whom they sign. `details.keys`, or `details.by`. */
  | 'CAPS_ISSUER_UNKNOWN'
