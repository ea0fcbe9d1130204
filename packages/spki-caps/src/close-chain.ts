import type { KeyId } from '@vault/core'
import type { OpenCapCert } from './cap-cert.ts'
import { refuseKeys, signersText, unrevoked } from './check-cert.ts'
import type { Circumstances } from './circumstances.ts'
import type { Holding } from './holding.ts'
import { operatorsOf } from './key-directory.ts'
import type { Principal } from './principal.ts'
import type { Outcome } from './refusal.ts'
import { refuseSilence } from './refusal.ts'
import type { Hearing } from './speak.ts'
import { speak } from './speak.ts'
import type { Voices } from './voices.ts'

/** A certificate of a chain with the keys that signed it as its issuer. */
export interface ChainLink {
  readonly cert: OpenCapCert
  /** The texts of all as whom its issuer issues. */
  readonly texts: readonly string[]
  readonly keys: readonly KeyId[]
}

/**
 * Whether those who ask are those to whom the chain grants, from its end to the root: each certificate lets its issuer
 * speak where its subject has spoken, by itself or through certificates that come later. The keys that signed for an
 * issuer are remembered with it, so that one person who holds two members of a threshold counts once there too.
 */
export function closeChain(
  root: Principal,
  links: readonly ChainLink[],
  holdings: readonly Holding[],
  asking: Voices,
  circumstances: Circumstances,
): { readonly outcome: Outcome; readonly keys: readonly KeyId[] } {
  const upstream = new Set(holdings.flatMap((holding) => [...holding.upstream]))
  const voices = unrevoked(asking, circumstances, upstream)
  const granted = new Map<string, readonly KeyId[]>()
  const hearing: Hearing = {
    voices,
    operators: (vault) => operatorsOf(circumstances.keys, vault),
    granted: (text) => granted.get(text),
  }
  const missing = (principal: Principal): Outcome | undefined => {
    const spoken = speak(principal, hearing)
    if (spoken.ok) return undefined
    const before = speak(principal, { ...hearing, voices: asking })
    return before.ok ? refuseKeys(before) : refuseSilence(principal, spoken, 'CAPS_NOT_SIGNER')
  }
  for (const { cert, texts, keys } of links.toReversed()) {
    const refusal = missing(cert.record.subject)
    if (refusal !== undefined) return { outcome: refusal, keys: [] }
    for (const text of texts) granted.set(text, keys)
  }
  const keys = [...new Set(asking.claimed)].filter((key) => voices.has(key))
  return { outcome: missing(root) ?? { note: signersText(keys) }, keys }
}
