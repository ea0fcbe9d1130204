import type { AbortOptions, KeyId } from '@vault/core'
import { type CertificateIndex, createCertificateIndex, createRevocationView, knownVoices } from '@vault/spki-caps'
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
  const circumstances = await caps.circumstances(options)
  const own = await caps.index(options)
  const shown = createCertificateIndex(proofs.certificates)
  const index: CertificateIndex = {
    async *naming(text, abort) {
      yield* own.naming(text, abort)
      yield* shown.naming(text, abort)
    },
  }
  const question = { action, tag: caps.tagOf({ action }), voices: knownVoices([key]) }
  if (proofs.revocations.length + proofs.sets.length === 0) {
    return await verdictOn(question, index, circumstances, options)
  }
  const { revocations, sets, view } = await caps.revocations(options)
  const both = createRevocationView({
    revocations: [...present(revocations), ...proofs.revocations],
    sets: [...present(sets), ...proofs.sets],
    keys: circumstances.keys,
  })
  return await verdictOn(
    question,
    index,
    { ...circumstances, revocations: { ...both, unread: view.unread ?? [] } },
    options,
  )
}
