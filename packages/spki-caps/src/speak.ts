import type { ContentId, KeyId, Threshold } from '@vault/core'
import { matchesId, publicKeyOf } from '@vault/core'
import type { HashPrincipal, Principal } from './principal.ts'
import { isHash, isThreshold, isVault, principalText } from './principal.ts'
import type { Voices } from './voices.ts'

/** What decides whether a principal has spoken. */
export interface Hearing {
  readonly voices: Voices
  /** The operators of a vault. */
  operators(vault: ContentId): Threshold | undefined
  /** The keys that signed a certificate by which this principal let somebody speak who has spoken. */
  granted?(text: string): readonly KeyId[] | undefined
}

/** Whether a principal has spoken, and by whose keys. */
export type Spoken =
  | {
      readonly ok: true
      readonly keys: readonly KeyId[]
      /** The texts of those who have spoken through somebody to whom they granted. */
      readonly through: readonly string[]
    }
  | {
      readonly ok: false
      /** `repeated`: there would be enough if one who spoke twice counted twice. */
      readonly why: 'silent' | 'few' | 'repeated' | 'unknown-vault'
      readonly have: number
      readonly need: number
    }

const SILENT: Spoken = { ok: false, why: 'silent', have: 0, need: 1 }

/**
 * Whether this principal has spoken. In a threshold each key counts once, for one member, however often it signed and in
 * whatever form it is named. Where members that need several keys share some, fewer may be counted than is possible, but
 * never more.
 */
export function speak(principal: Principal, hearing: Hearing): Spoken {
  return speakWithout(principal, hearing, new Set())
}

function speakWithout(principal: Principal, hearing: Hearing, taken: ReadonlySet<KeyId>): Spoken {
  const text = principalText(principal)
  const granted = hearing.granted?.(text)
  if (granted?.every((key) => !taken.has(key)) === true) return { ok: true, keys: granted, through: [text] }
  if (typeof principal === 'string') return hears(hearing, principal, taken) ? one(principal) : SILENT
  if (isHash(principal)) return speakByHash(principal, hearing, taken)
  if (isThreshold(principal)) return count(principal.of, principal.threshold, hearing, taken)
  const operators = hearing.operators(principal.vault.id)
  if (operators === undefined) return { ok: false, why: 'unknown-vault', have: 0, need: 1 }
  // What an operator grants on is the operator's, not the vault's: only their own voices count for it.
  const { voices } = hearing
  return count(operators.keys, operators.threshold, { voices, operators: hearing.operators }, taken)
}

function speakByHash({ hash }: HashPrincipal, hearing: Hearing, taken: ReadonlySet<KeyId>): Spoken {
  const key = hearing.voices.claimed.find((claimed) => matchesId(hash.id, publicKeyOf(claimed)))
  return key !== undefined && hears(hearing, key, taken) ? one(key) : SILENT
}

function count(members: readonly Principal[], need: number, hearing: Hearing, taken: ReadonlySet<KeyId>): Spoken {
  const used = new Set(taken)
  const counted: KeyId[] = []
  const through: string[] = []
  let have = 0
  let repeated = 0
  for (const member of simplestFirst(members)) {
    const spoken = speakWithout(member, hearing, used)
    if (!spoken.ok) {
      if (speakWithout(member, hearing, taken).ok) repeated++
      continue
    }
    for (const key of spoken.keys) used.add(key)
    counted.push(...spoken.keys)
    through.push(...spoken.through)
    if (++have === need) return { ok: true, keys: counted, through }
  }
  for (const key of counted) {
    const times = hearing.voices.claimed.filter((claimed) => claimed === key).length
    repeated += Math.max(0, times - 1)
  }
  return { ok: false, why: have + repeated >= need ? 'repeated' : 'few', have, need }
}

/** A member that one key alone can speak for goes before those that could do with another key instead. */
function simplestFirst(members: readonly Principal[]): readonly Principal[] {
  const isSimple = (member: Principal) => !isThreshold(member) && !isVault(member)
  return [...members.filter(isSimple), ...members.filter((member) => !isSimple(member))]
}

function hears({ voices }: Hearing, key: KeyId, taken: ReadonlySet<KeyId>): boolean {
  return !taken.has(key) && voices.has(key)
}

function one(key: KeyId): Spoken {
  return { ok: true, keys: [key], through: [] }
}
