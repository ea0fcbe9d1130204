import type { AbortOptions, Bytes, ContentId, KeyState } from '@vault/core'
import { decodeEnvelope, equalBytes, verifyKeyHistory } from '@vault/core'
import type { SoupStore } from '@vault/soup'

interface Verified {
  readonly envelopes: readonly Bytes[]
  readonly state: KeyState
}

// A long history costs hundreds of verifications, and a move asks for it with every batch.
const verified = new WeakMap<SoupStore, Map<ContentId, Verified>>()

/** The keys of a vault as they are known at a place: verified anew whenever what is kept there is not what it was. */
export async function keyStateAt(
  { store }: { readonly store: SoupStore },
  vault: ContentId,
  options?: AbortOptions,
): Promise<KeyState> {
  const envelopes = await store.tenures.keyEvents(vault, options)
  const known = verified.get(store) ?? new Map<ContentId, Verified>()
  const before = known.get(vault)
  if (before !== undefined && isSame(before.envelopes, envelopes)) return before.state
  const state = verifyKeyHistory(envelopes.map((bytes) => decodeEnvelope(bytes)))
  verified.set(store, known.set(vault, { envelopes, state }))
  return state
}

function isSame(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((bytes, i) => equalBytes(bytes, b[i] as Uint8Array))
}
