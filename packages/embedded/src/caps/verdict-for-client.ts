import type { AbortOptions, ContentId, KeyId } from '@vault/core'
import {
  type CertificateIndex,
  type Circumstances,
  createCertificateIndex,
  createRevocationView,
  createValidationView,
  knownVoices,
} from '@vault/spki-caps'
import { present } from './revocations-in.ts'
import type { ShownProofs } from './shown-proofs.ts'
import type { VaultCaps } from './vault-caps.ts'
import { type Judged, verdictOn } from './verdict-on.ts'

/**
 * Whether a vault grants something to a key that has shown itself: by its own certificates, and by those that are shown. What is
 * shown only adds to what the vault knows: whatever it has revoked stays revoked.
 */
export async function verdictForClient(
  caps: VaultCaps,
  { key, action, proofs }: { readonly key: KeyId; readonly action: string; readonly proofs: ShownProofs },
  options: AbortOptions,
): Promise<Judged> {
  const own = await caps.index(options)
  const shown = createCertificateIndex(proofs.certificates)
  const index: CertificateIndex = {
    async *naming(text, abort) {
      yield* own.naming(text, abort)
      yield* shown.naming(text, abort)
    },
  }
  const question = { action, tag: caps.tagOf({ action }), voices: knownVoices([key]) }
  return await verdictOn(question, index, await withShown(caps, proofs, options), options)
}

/** What the vault goes by, with what is shown beside it. */
async function withShown(caps: VaultCaps, proofs: ShownProofs, options: AbortOptions): Promise<Circumstances> {
  const known = await caps.circumstances(options)
  const { keys, validations: own } = known
  const shown = createValidationView({ validations: proofs.validations, keys })
  const of = (certificate: ContentId) => [...(own?.of(certificate) ?? []), ...shown.of(certificate)]
  const validated = { ...known, validations: { ...shown, of } }
  if (proofs.revocations.length + proofs.sets.length === 0) return validated
  const { revocations, sets, view } = await caps.revocations(options)
  const both = createRevocationView({
    revocations: [...present(revocations), ...proofs.revocations],
    sets: [...present(sets), ...proofs.sets],
    keys,
  })
  return { ...validated, revocations: { ...both, unread: view.unread ?? [] } }
}
