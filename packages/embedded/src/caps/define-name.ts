import { type AbortOptions, type ContentId, type Envelope, VaultError } from '@vault/core'
import {
  type CapsErrorCode,
  createNameCert,
  indexTexts,
  listAuthority,
  namePrincipal,
  openNameCert,
  type Principal,
  principalText,
} from '@vault/spki-caps'
import type { VaultChange } from '../recorder.ts'
import { bringing, capEntries } from './cap-entry.ts'
import { type CapIssuer, requireRoom } from './issue-cap.ts'
import type { CapEntryErrorCode } from './revoke-cap.ts'
import type { VaultCaps } from './vault-caps.ts'

/** Who is called by a name: what is granted to the name here reaches him. */
export interface CapCalling {
  /** 1 to 64 of `a-z`, `0-9`, `_` and `-`, the first one a letter. */
  readonly name: string
  readonly to: Principal
  /** `null`, which must be written, is for ever. */
  readonly expires: Date | null
  readonly notBefore?: Date
  readonly comment?: string
}

/** A name certificate that was issued. */
export interface IssuedName {
  readonly id: ContentId
  readonly envelope: Envelope
  /** The text of the name: what a certificate grants to that is to reach all who are called so. */
  readonly name: string
  /** `null`: never. */
  readonly expires: Date | null
}

/** Signs that somebody is called by a name of the issuer, and gives the change that brings that into the vault. Throws `CAPS_DENIED`, `CAPS_ISSUER_UNKNOWN`. */
export async function draftName(
  caps: VaultCaps,
  { name, to, ...rest }: CapCalling,
  { issuer, signers }: CapIssuer,
  options: AbortOptions,
): Promise<IssuedName & { readonly change: VaultChange }> {
  const { random, soup } = caps.parts
  if (typeof issuer !== 'string' && !('vault' in issuer)) throw namesNobody(issuer)
  const text = principalText(namePrincipal(issuer, name))
  const isVault = caps.isVault(issuer)
  if (!isVault) {
    await requireUse(caps, issuer, text, options)
    await requireRoom(caps, to, options)
  }
  const { seq } = await caps.keys(options)
  const draft = { ...rest, issuer, name, subject: to, nonce: random(16), ...(isVault ? { epoch: seq } : {}) }
  const envelope = await createNameCert(draft, signers, options)
  const change = await bringing(capEntries({ envelope, anchor: seq }), soup, options)
  return { id: openNameCert(envelope).id, envelope, name: text, expires: rest.expires, change }
}

/** A vault that took certificates which say nothing to it could be filled by anybody. */
async function requireUse(caps: VaultCaps, issuer: Principal, text: string, options: AbortOptions): Promise<void> {
  const index = await caps.index(options)
  for await (const _ of index.naming(text, options)) return
  // What is granted to vault/lead/deputy is, once ana is lead, for whom she calls her deputy.
  const all = listAuthority(await caps.view({ ...options, place: true }), { together: false })
  const held = all.flatMap(({ holder }) => indexTexts(holder))
  if (held.some((each) => each === text || each.startsWith(`${text}/`))) return
  const { alone } = typeof issuer === 'string' ? await caps.whatCan([issuer], options) : { alone: [] }
  if (alone.some(({ left }) => left > 0)) return
  throw new VaultError<CapsErrorCode>({
    code: 'CAPS_DENIED',
    message: `Nothing was granted to ${text} here, and ${principalText(issuer)} has nothing to grant on to it. Nothing was issued.`,
    details: { name: text, issuer: principalText(issuer) },
  })
}

function namesNobody(issuer: Principal): VaultError<CapEntryErrorCode> {
  return new VaultError({
    code: 'CAPS_ISSUER_UNKNOWN',
    message: `Only a vault and single keys call somebody by a name, and ${principalText(issuer)} is neither. Sign with one key, or as the operators.`,
    details: { keys: [principalText(issuer)] },
  })
}
