import type { KeyId } from '@vault/core'
import { Above } from './above.ts'
import type { OpenCapCert } from './cap-cert.ts'
import { refuseKeys, signersText, unrevoked } from './check-cert.ts'
import type { Circumstances } from './circumstances.ts'
import type { Holding } from './holding.ts'
import { operatorsOf } from './key-directory.ts'
import type { OpenNameCert } from './name-cert.ts'
import type { Resolution } from './name-link.ts'
import { wayByName, withWay } from './name-link.ts'
import type { Principal } from './principal.ts'
import { principalText } from './principal.ts'
import type { Outcome } from './refusal.ts'
import { refuseSilence } from './refusal.ts'
import type { Hearing, Way } from './speak.ts'
import { speak, waysOf } from './speak.ts'
import type { Refusal } from './trace.ts'
import type { Voices } from './voices.ts'

/** A certificate of a chain with the keys that signed it as its issuer. */
export type ChainLink = GrantLink | NameLink

interface GrantLink {
  readonly cert: OpenCapCert
  /** The texts of all as whom its issuer issues. */
  readonly texts: readonly string[]
  readonly keys: readonly KeyId[]
}

interface NameLink {
  readonly cert: OpenNameCert
  /** The names of the chain for which it says who is called so. */
  readonly resolutions: readonly Resolution[]
  readonly keys: readonly KeyId[]
}

/**
 * Whether those who ask are those to whom the chain grants, from its end to the root: each certificate lets its issuer
 * speak where its subject has spoken, by itself or through certificates that come later. The keys that signed for an
 * issuer are remembered with it, so that one person who holds two members of a threshold counts once there too. A name speaks
 * where one of those has spoken who are called so, by the keys of whoever that is.
 */
export function closeChain(
  root: Holding,
  links: readonly ChainLink[],
  { voices: asking, spoken }: Speaker,
  circumstances: Circumstances,
): { readonly outcome: Outcome; readonly keys: readonly KeyId[] } {
  const issuers = links.map(({ cert }) => principalText(cert.record.issuer))
  const upstream = new Above(issuers, [root.upstream])
  const voices = unrevoked(asking, circumstances, upstream)
  const granted = new Map<string, readonly Way[]>(spoken)
  const hearing: Hearing = {
    voices,
    operators: (vault) => operatorsOf(circumstances.keys, vault),
    granted: (text) => granted.get(text) ?? [],
  }
  const missing = (principal: Principal): Refusal | undefined => {
    const heard = speak(principal, hearing)
    if (heard.ok) return undefined
    const before = speak(principal, { ...hearing, voices: asking })
    return before.ok ? refuseKeys(before) : refuseSilence(principal, heard, 'CAPS_NOT_SIGNER')
  }
  const missingName = ({ cert, resolutions, keys }: NameLink): Refusal | undefined => {
    let refusal: Refusal | undefined
    let isSpoken = false
    for (const { name, into } of resolutions) {
      const ways = waysOf(into, hearing).map((said) => wayByName(cert, keys, said))
      const text = principalText(name)
      granted.set(text, ways.reduce<readonly Way[]>(withWay, granted.get(text) ?? []))
      if (ways.length > 0) isSpoken = true
      else refusal ??= missing(into)
    }
    return isSpoken ? undefined : refusal
  }
  for (const link of links.toReversed()) {
    const refusal = 'resolutions' in link ? missingName(link) : missing(link.cert.record.subject)
    if (refusal !== undefined) return { outcome: refusal, keys: [] }
    if ('texts' in link) for (const text of link.texts) granted.set(text, [{ keys: link.keys }])
  }
  const refusal = missing(root.subject)
  if (refusal !== undefined) return { outcome: refusal, keys: [] }
  const keys = [...new Set(asking.claimed)].filter((key) => voices.has(key))
  return { outcome: { note: signersText(keys) }, keys }
}

/** Who is taken to ask. */
interface Speaker {
  readonly voices: Voices
  /** The ways of those, by their texts, who have spoken as well, whoever that was. */
  readonly spoken?: ReadonlyMap<string, readonly Way[]> | undefined
}
