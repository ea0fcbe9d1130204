import { type ContentId, type Envelope, type Finding, isContentId, type VaultId } from '@vault/core'
import {
  createRevocationView,
  type KeyDirectory,
  openRevocation,
  principalText,
  type RevocationView,
  vaultPrincipal,
} from '@vault/spki-caps'
import { REVOCATION_PREFIX } from './cap-entry.ts'

/** What a vault keeps, by the keys of its entries; `undefined` is what cannot be read. */
interface Kept {
  readonly vault: VaultId
  readonly revocations: ReadonlyMap<string, Envelope | undefined>
  readonly sets: ReadonlyMap<string, Envelope | undefined>
  readonly keys: KeyDirectory
}

/**
 * What is revoked in a vault. One that cannot be read, or whose signature is bad, may have revoked anything, so it is `unread` until the
 * vault itself revokes it by its id. An entry with another key than an id was never made for a revocation, and says nothing.
 */
export function revocationsIn({ vault, revocations, sets, keys }: Kept): RevocationView {
  const view = createRevocationView({ revocations: present(revocations), sets: present(sets), keys })
  const refused = new Set(view.unusable.map(({ subject }) => subject))
  const owner = principalText(vaultPrincipal(vault))
  const unread: Finding[] = []
  for (const [key, envelope] of revocations) {
    const id = key.slice(REVOCATION_PREFIX.length)
    if (!isContentId(id) || view.revokers(id).includes(owner)) continue
    if (envelope !== undefined && !refused.has(openRevocation(envelope).id)) continue
    unread.push({ code: 'CAPS_REVOCATION_UNUSABLE', message: messageOf(id), subject: id })
  }
  return { ...view, unread }
}

/** What can be read of what is kept. */
export function present(kept: ReadonlyMap<string, Envelope | undefined>): readonly Envelope[] {
  return [...kept.values()].flatMap((each) => each ?? [])
}

function messageOf(id: ContentId): string {
  return `the revocation ${id} cannot be read, so nobody knows what it takes back: its vault's operators revoke what was meant by it, and then itself by this id`
}
