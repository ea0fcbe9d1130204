import { type AbortOptions, type Clock, type ContentId, encodeEnvelope, type KeyId, VaultError } from '@vault/core'
import {
  acknowledge,
  attest,
  type Ceremony,
  type CeremonyFindingCode,
  contribute,
  type DocumentKind,
  fileNameOf,
  partOf,
  type Software,
} from '@vault/spki-caps/ceremony'
import type { AgeIdentities } from '../age-identities.ts'
import type { OpenKey } from '../key-file.ts'
import type { CeremonyFolder } from './ceremony-folder.ts'
import { keepShares } from './keep-shares.ts'
import { sealShares } from './seal-shares.ts'

/** Who takes part in a ceremony, and with what. */
export interface JoinOptions {
  readonly key: OpenKey
  /** The id of the plan that was agreed upon; another one is refused. Default: whichever is in the folder. */
  readonly plan?: ContentId
  /** Decrypts the shares that the plan gives to this key. */
  readonly identities?: AgeIdentities
  /** Where these shares are kept, encrypted as they came. */
  readonly shareDir?: string
  readonly software: Software
  readonly clock: Clock
}

/** What was done in a ceremony for a key. */
export interface Joined {
  readonly did: readonly ('contribution' | 'receipt' | 'attestation')[]
  /** Whose contributions its receipt waits for. */
  readonly awaits: readonly KeyId[]
  /** How far the ceremony is now. */
  readonly ceremony: Ceremony
}

const DONE: Readonly<Record<DocumentKind, Joined['did'][number]>> = {
  contrib: 'contribution',
  receipt: 'receipt',
  attest: 'attestation',
}

/**
 * Does all that a key still owes a ceremony: contributes, keeps and acknowledges its shares, attests. Needs nothing but the folder. Done
 * again it does what has come up since, or nothing. Durable when it resolves.
 *
 * Throws `CEREMONY_NOT_MEMBER` for a key without a part, `CEREMONY_FILE_FOREIGN` for another plan, `CEREMONY_REFUSED` where files were
 * refused, `CEREMONY_EXPIRED`, `CEREMONY_SHARE_WAITS` where the means are missing to keep a share, `KEY_SHARE_SEALED`,
 * `KEY_SHARE_DAMAGED`, `KEY_SHARE_WRONG`, `KEY_SHARE_FOREIGN` for a share that is not what the plan says, and what the folder throws.
 */
export async function joinCeremony(folder: CeremonyFolder, options: JoinOptions & AbortOptions): Promise<Joined> {
  const { key, plan, signal } = options
  const did: Joined['did'][number][] = []
  while (true) {
    signal?.throwIfAborted()
    const ceremony = await folder.read()
    checkMember(ceremony, key.signer.key, plan)
    const document = await nextDocument(ceremony, options)
    if (document === undefined) return { did, awaits: partOf(ceremony, key.signer.key).awaits, ceremony }
    await folder.file(fileNameOf(document.kind, key.signer.key), document.bytes)
    did.push(DONE[document.kind])
  }
}

async function nextDocument(
  ceremony: Ceremony,
  options: JoinOptions & AbortOptions,
): Promise<{ readonly kind: DocumentKind; readonly bytes: Uint8Array } | undefined> {
  const { key, clock, software, signal } = options
  const { signer } = key
  const part = partOf(ceremony, signer.key)
  const now = clock()
  if (part.contribute) {
    const shares = part.split === undefined ? null : await sealShares(key, part.split, ceremony.id)
    const envelope = await contribute(ceremony, signer, { now, software, shares }, { signal })
    return { kind: 'contrib', bytes: encodeEnvelope(envelope) }
  }
  if (part.acknowledge.length > 0) {
    const shares = await keepShares(ceremony, part.acknowledge, { ...options, holder: signer.key })
    return { kind: 'receipt', bytes: encodeEnvelope(await acknowledge(ceremony, signer, { now, shares }, { signal })) }
  }
  const { commit } = ceremony
  if (!part.attest || commit === undefined) return undefined
  return { kind: 'attest', bytes: encodeEnvelope(await attest({ ...ceremony, commit }, signer, { now }, { signal })) }
}

function checkMember({ id, plan }: Ceremony, key: KeyId, expected: ContentId | undefined): void {
  if (expected !== undefined && id !== expected) {
    throw new VaultError<CeremonyFindingCode>({
      code: 'CEREMONY_FILE_FOREIGN',
      message: `The plan in the folder is ${id}, and not ${expected}: ask whoever gave it to you.`,
      details: { plan: id, expected },
    })
  }
  if (plan.members.some((member) => member.key === key)) return
  throw new VaultError<CeremonyFindingCode>({
    code: 'CEREMONY_NOT_MEMBER',
    message: `The key ${key} has no part in the ceremony ${id}.`,
    details: { key, plan: id },
  })
}
