import {
  type AbortOptions,
  type Envelope,
  encodeEnvelope,
  type KeyId,
  type Random,
  type Signer,
  type VaultId,
} from '@vault/core'
import { changeRecord, type Records } from '@vault/soup'
import { createCapCert, openCapCert, principalText, vaultPrincipal, vaultTag } from '@vault/spki-caps'
import { openedIn } from './cap-entry.ts'

// By it the key of a place, which is online, does everyday work without a passphrase. It is kept beside the vaults of the
// place and not in them: it is about this place, no other can use it, and a vault that has nothing else in it is empty.

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
  // Where another process has made one meanwhile, the last one counts.
  await changeRecord(records, rootCertificateKey(vault), () => encodeEnvelope(envelope), options)
  return envelope
}

/** The root certificate of a vault for the key of this place; `undefined` where there is none. */
export async function readRootCertificate(
  records: Records,
  { vault, place }: Pick<RootCertificate, 'vault' | 'place'>,
  options?: AbortOptions,
): Promise<Envelope | 'unreadable' | undefined> {
  const record = await records.read(rootCertificateKey(vault), options)
  if (record === undefined) return undefined
  const cert = openedIn(record.bytes, openCapCert)
  if (cert === undefined) return 'unreadable'
  // A copy of a place that was given a key of its own has that of the other one.
  return principalText(cert.record.subject) === place ? cert.envelope : undefined
}

/** Under which the root certificate of a vault is kept, among the records of its place. */
export function rootCertificateKey(vault: VaultId): string {
  return `root-certificate/${vault}`
}
