import {
  type AbortOptions,
  type Envelope,
  encodeEnvelope,
  type Finding,
  isVaultError,
  type KeyId,
  type Random,
  type Signer,
  type VaultId,
} from '@vault/core'
import { changeRecord, type MendableRecords, type Records } from '@vault/soup'
import {
  type CapsFindingCode,
  createCapCert,
  openCapCert,
  principalText,
  vaultPrincipal,
  vaultTag,
} from '@vault/spki-caps'
import { openedIn } from './cap-entry.ts'

// By it the key of a place, which is online, does everyday work without a passphrase. It is kept beside the vaults of the
// place and not in them: it is about this place, no other can use it, and a vault that has nothing else in it is empty.

/** Under which they all are, among the records of a place. */
export const ROOT_PREFIX = 'root-certificate/'

/** What a root certificate is made of. */
export interface RootCertificate {
  readonly vault: VaultId
  /** The number of the key event whose operators sign. */
  readonly epoch: number
  /** Key of the place. */
  readonly place: KeyId
  /** The operators, as many as they need. */
  readonly signers: readonly Signer[]
  readonly random: Random
}

/** Signs that the key of this place may do everything with the vault, and keeps it there instead of an earlier one. Durable when it resolves. */
export async function keepRootCertificate(
  records: Records,
  { vault, epoch, place, signers, random }: RootCertificate,
  options?: AbortOptions,
): Promise<Envelope> {
  const issuer = vaultPrincipal(vault)
  const tag = vaultTag({ actions: '*', object: vault })
  const draft = { issuer, epoch, subject: place, tag, expires: null, nonce: random(16), comment: 'root certificate' }
  const envelope = await createCapCert(draft, signers, options)
  await keep(records, rootCertificateKey(vault), encodeEnvelope(envelope), options)
  return envelope
}

/** Where another process has made one meanwhile, the last one counts. */
async function keep(records: Records, key: string, bytes: Uint8Array, options?: AbortOptions): Promise<void> {
  try {
    await changeRecord(records, key, () => bytes, options)
  } catch (error) {
    // What is to stand there is known, so nothing is needed of what is damaged.
    if (!isVaultError(error, 'SOUP_CORRUPT') || !isMendable(records)) throw error
    await records.mend(key, bytes, options).catch(async (late: unknown) => {
      if (!isVaultError(late, 'SOUP_CONFLICT')) throw late
      await changeRecord(records, key, () => bytes, options)
    })
  }
}

export function isMendable(records: Records): records is MendableRecords {
  return 'mend' in records
}

/**
 * The root certificate of a vault for the key of this place; `undefined` where there is none. What is damaged is `unreadable`, and grants nothing;
 * so is one that is not there while the key of another such record is damaged, because it may be that one.
 */
export async function readRootCertificate(
  records: Records,
  { vault, place }: Pick<RootCertificate, 'vault' | 'place'>,
  options?: AbortOptions,
): Promise<Envelope | 'unreadable' | undefined> {
  const record = await unlessDamaged(records.read(rootCertificateKey(vault), options))
  if (record === undefined)
    return (await unlessDamaged(records.list(ROOT_PREFIX, options))) === DAMAGED ? DAMAGED : undefined
  if (record === DAMAGED) return DAMAGED
  const cert = openedIn(record.bytes, openCapCert)
  if (cert === undefined) return DAMAGED
  // A copy of a place that was given a key of its own has that of the other one.
  return principalText(cert.record.subject) === place ? cert.envelope : undefined
}

const DAMAGED = 'unreadable'

async function unlessDamaged<T>(reading: Promise<T>): Promise<T | typeof DAMAGED> {
  return await reading.catch((error: unknown) => {
    if (isVaultError(error, 'SOUP_CORRUPT')) return DAMAGED
    throw error
  })
}

/** Under which the root certificate of a vault is kept, among the records of its place. */
export function rootCertificateKey(vault: VaultId): string {
  return `${ROOT_PREFIX}${vault}`
}

/** What a store finds wrong, and where that is the record of a root certificate, what follows from it; `undefined` of anything else. */
export function damagedRootCertificate({ code, subject = '' }: Finding, dir: string): Finding | undefined {
  if (code !== 'SOUP_CORRUPT' || !subject.startsWith(`records/${ROOT_PREFIX}`)) return undefined
  const record = subject.slice('records/'.length)
  return {
    code: 'CAPS_MALFORMED' satisfies CapsFindingCode,
    subject: record,
    message: `The record ${record} of the place is damaged, so the vault can be read with the key of the place, and not changed. Nothing of the vault is lost, and no other place can bring it back. ${makeAnew(dir)}`,
  }
}

/** What to do about a root certificate that cannot be read. */
export function makeAnew(dir: string): string {
  return `Let the vault's operators sign here, which makes it anew: vaultctl caps publish ${dir}, which grants nothing, or any certificate`
}
