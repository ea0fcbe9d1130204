import { type AbortOptions, type KeyId, type Random, type Signer, systemRandom, type VaultId } from '@vault/core'
import {
  ANY,
  createCapCert,
  createNameCert,
  type OpenCapCert,
  type OpenNameCert,
  openCapCert,
  openNameCert,
  type Principal,
  parseTag,
  type Root,
  type Tag,
  vaultTag,
} from '@vault/spki-caps'
import type { CapCalling } from './define-name.ts'

// A place has no content of its own to grant: what it decides is which vaults may be brought to it, and by whom. What is done
// with a vault that is there is for the vault to grant.

/** What a place can grant by certificates of its own. */
export const PLACE_ACTION = 'write'

/** What a certificate of a place is to grant, and to whom. */
export interface PlaceGrant {
  readonly to: Principal
  /** The vault that may be brought. Default: any that is not there yet. */
  readonly vault?: VaultId
  /** Whether it may be granted on. Default: `false`. */
  readonly delegate?: boolean
  /** `null`, which must be written, is for ever. */
  readonly expires: Date | null
  readonly notBefore?: Date
  readonly comment?: string
}

/**
 * Signs that somebody may bring a vault to a place: by the key of that place, or by one that it trusts. Nothing is kept of it: whoever
 * holds it shows it.
 */
export async function issuePlaceGrant(
  { to, vault, ...rest }: PlaceGrant,
  signer: Signer,
  { random = systemRandom, signal }: AbortOptions & { readonly random?: Random } = {},
): Promise<OpenCapCert> {
  const tag = vault === undefined ? anyVault() : vaultTag({ actions: [PLACE_ACTION], object: vault })
  const draft = { ...rest, issuer: signer.key, subject: to, tag, nonce: random(16) }
  return openCapCert(await createCapCert(draft, [signer], { signal }))
}

/**
 * Signs that somebody is called by a name of a place's key, or of one that it trusts: a certificate of the place that grants to
 * `nameOf(key, name)` reaches him. As with {@link issuePlaceGrant}, whoever holds it shows it, and it is taken back in the same way.
 */
export async function issuePlaceName(
  { to, ...rest }: CapCalling,
  signer: Signer,
  { random = systemRandom, signal }: AbortOptions & { readonly random?: Random } = {},
): Promise<OpenNameCert> {
  const draft = { ...rest, issuer: signer.key, subject: to, nonce: random(16) }
  return openNameCert(await createNameCert(draft, [signer], { signal }))
}

/** Where the authority of a place begins: its own key, and those that whoever runs it has named. */
export function rootsOfPlace(keys: readonly KeyId[]): readonly Root[] {
  return keys.map((key) => ({ name: 'place', subject: key, tag: anyVault(), delegate: true, revocations: 'none' }))
}

/** Writing any vault. */
export function anyVault(): Tag {
  return parseTag(['vault', PLACE_ACTION, ANY])
}
