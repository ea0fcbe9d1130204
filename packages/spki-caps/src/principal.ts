import type { ContentId, KeyId, Link, Threshold } from '@vault/core'
import { codecOf, contentId, hasFields, hashOf, isLink, link, parseKeyId, publicKeyOf } from '@vault/core'
import { invalidPrincipal } from './error.ts'

/** Who grants and who is granted to. */
export type Principal = KeyId | VaultPrincipal | HashPrincipal | ThresholdPrincipal | NamePrincipal

/** The operators of a vault, whoever they are at the time: the way to name someone whose keys will be replaced. */
export interface VaultPrincipal {
  readonly vault: Link
}

/** Whoever has the key whose 32 bytes have this content id (codec raw). */
export interface HashPrincipal {
  readonly hash: Link
}

/** So many distinct ones out of these. */
export interface ThresholdPrincipal {
  readonly threshold: number
  /** Distinct, in the order of {@link principalText}; thresholds within thresholds, at most two deep; 64 keys in all. */
  readonly of: readonly Principal[]
}

/**
 * Whoever the holder of a key, or a vault, says by name certificates: those whom it calls by the first name, or what they call
 * by the next. It is granted to and never issues, because who it is changes.
 */
export interface NamePrincipal {
  readonly of: KeyId | VaultPrincipal
  /** 1 to 4, each of 1 to 64 of `a-z`, `0-9`, `_` and `-`, the first one a letter: nothing that looks like another. */
  readonly names: readonly string[]
}

const NAME = /^[a-z][a-z0-9_-]{0,63}$/
const MAX_NAMES = 4
const MAX_NESTING = 2
const MAX_MEMBERS = 64

/** A decoded value as a principal, in its one form. Throws `CAPS_PRINCIPAL_INVALID`. */
export function parsePrincipal(value: unknown): Principal {
  const principal = parse(value, MAX_NESTING)
  if (leavesOf(principal).length > MAX_MEMBERS) throw invalidPrincipal(`it has more than ${MAX_MEMBERS} members`)
  return principal
}

/** The operators of this vault. Throws `CAPS_PRINCIPAL_INVALID` for an id that no inception can have. */
export function vaultPrincipal(vault: ContentId): VaultPrincipal {
  return parsePrincipal({ vault: link(vault) }) as VaultPrincipal
}

/** The key, by its hash: who grants to it need not know it. */
export function hashPrincipal(key: KeyId): HashPrincipal {
  return { hash: link(contentId(publicKeyOf(key), { hash: 'sha2-256' })) }
}

/** So many of these, given in any order. Throws `CAPS_PRINCIPAL_INVALID`. */
export function thresholdPrincipal(threshold: number, of: readonly Principal[]): ThresholdPrincipal {
  const sorted = of.toSorted((a, b) => (principalText(a) < principalText(b) ? -1 : 1))
  return parsePrincipal({ threshold, of: sorted }) as ThresholdPrincipal
}

/** Those whom a key or a vault calls by this name; by further ones, those whom they call so. Throws `CAPS_PRINCIPAL_INVALID`. */
export function namePrincipal(of: NamePrincipal['of'], ...names: readonly string[]): NamePrincipal {
  return parsePrincipal({ of, names }) as NamePrincipal
}

/** The principal with names behind it; `undefined` where it calls nobody by a name, or there are too many. */
export function withNames(principal: Principal, names: readonly string[]): Principal | undefined {
  if (names.length === 0) return principal
  if (isThreshold(principal) || isHash(principal)) return undefined
  const { of, names: own } = isName(principal) ? principal : { of: principal, names: [] }
  return own.length + names.length > MAX_NAMES ? undefined : { of, names: [...own, ...names] }
}

/** All names that stand in a principal: it is one, or they are members of it. */
export function namesIn(principal: Principal): readonly NamePrincipal[] {
  return leavesOf(principal).filter(isName)
}

/** All keys that stand in a principal, or are those of operators of a vault in it, as far as these are given. */
export function keysIn(
  principal: Principal,
  operators: (vault: ContentId) => Threshold | undefined = () => undefined,
): readonly KeyId[] {
  return leavesOf(principal).flatMap((leaf) => {
    if (typeof leaf === 'string') return [leaf]
    return isVault(leaf) ? (operators(leaf.vault.id)?.keys ?? []) : []
  })
}

/** The principal as text: the same for equal ones, and for no others. */
export function principalText(principal: Principal): string {
  if (typeof principal === 'string') return principal
  if ('vault' in principal) return `vault:${principal.vault.id}`
  if ('hash' in principal) return `hash:${principal.hash.id}`
  // Neither keys nor ids nor names have a slash in them, nor what separates the members of a threshold.
  if ('names' in principal) return `name:${principalText(principal.of)}/${principal.names.join('/')}`
  return `${principal.threshold}-of(${principal.of.map(principalText).join(',')})`
}

/** The texts of all principals as whom the holder of this one may issue: a key also as any hash of it. */
export function issuingTexts(principal: Principal): readonly string[] {
  if (typeof principal !== 'string') return [principalText(principal)]
  const bytes = publicKeyOf(principal)
  const hashes = (['sha2-256', 'blake3'] as const).map((hash) => `hash:${contentId(bytes, { hash })}`)
  return [principal, ...hashes]
}

/** Whether it is somebody by the hash of his key, or one of its members is. */
export function isByHash(principal: Principal): boolean {
  return isThreshold(principal) ? principal.of.some(isByHash) : isHash(principal)
}

/** The texts of a principal and, if it is a threshold, of all who have a part in it. */
export function partTexts(principal: Principal): readonly string[] {
  const parts = isThreshold(principal) ? principal.of.flatMap(partTexts) : []
  return [principalText(principal), ...parts]
}

export function isThreshold(principal: Principal): principal is ThresholdPrincipal {
  return typeof principal === 'object' && 'threshold' in principal
}

export function isVault(principal: Principal): principal is VaultPrincipal {
  return typeof principal === 'object' && 'vault' in principal
}

export function isHash(principal: Principal): principal is HashPrincipal {
  return typeof principal === 'object' && 'hash' in principal
}

/** Whether it is whoever is called by a name, and not a threshold with one in it. */
export function isName(principal: Principal): principal is NamePrincipal {
  return typeof principal === 'object' && 'names' in principal
}

/** Whether this is a word that a name certificate can define. */
export function isNameWord(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value)
}

function parse(value: unknown, nesting: number): Principal {
  if (typeof value === 'string') return parseKey(value)
  if (hasFields(value, 'vault')) {
    const { vault } = value
    if (!isLink(vault) || codecOf(vault.id) !== 'dag-cbor' || hashOf(vault.id) !== 'sha2-256') {
      throw invalidPrincipal('"vault" is no link to an inception')
    }
    return { vault: link(vault.id) }
  }
  if (hasFields(value, 'hash')) {
    const { hash } = value
    if (!isLink(hash) || codecOf(hash.id) !== 'raw') throw invalidPrincipal('"hash" is no link to raw bytes')
    return { hash: link(hash.id) }
  }
  if (hasFields(value, 'threshold', 'of')) return parseThreshold(value.threshold, value.of, nesting)
  if (hasFields(value, 'of', 'names')) return parseName(value.of, value.names)
  throw invalidPrincipal('it is neither a key, a vault, a hash, a threshold nor a name')
}

function parseName(of: unknown, names: unknown): NamePrincipal {
  const owner = typeof of === 'string' || hasFields(of, 'vault') ? parse(of, 0) : undefined
  if (owner === undefined || !(typeof owner === 'string' || isVault(owner))) {
    throw invalidPrincipal('a name is of something else than a key or a vault')
  }
  if (!Array.isArray(names) || names.length === 0 || names.length > MAX_NAMES || !names.every(isNameWord)) {
    throw invalidPrincipal(
      `a name is not 1 to ${MAX_NAMES} words, each of 1 to 64 of the characters a-z, 0-9, _ and -, the first one a letter`,
    )
  }
  return { of: owner, names: [...names] }
}

function parseThreshold(threshold: unknown, of: unknown, nesting: number): ThresholdPrincipal {
  if (nesting === 0) throw invalidPrincipal(`thresholds are nested deeper than ${MAX_NESTING}`)
  if (!Array.isArray(of) || of.length === 0 || of.length > MAX_MEMBERS) {
    throw invalidPrincipal(`a threshold has not 1 to ${MAX_MEMBERS} members`)
  }
  const members = of.map((member) => parse(member, nesting - 1))
  const texts = members.map(principalText)
  if (texts.some((text, i) => i > 0 && (texts[i - 1] as string) >= text)) {
    throw invalidPrincipal('the members of a threshold are not distinct and in the order of their texts')
  }
  if (typeof threshold !== 'number' || !Number.isInteger(threshold) || threshold < 1 || threshold > members.length) {
    throw invalidPrincipal(`a threshold is not between 1 and its ${members.length} members`)
  }
  return { threshold, of: members }
}

function parseKey(value: string): KeyId {
  try {
    return parseKeyId(value)
  } catch (cause) {
    throw invalidPrincipal('a text is no key id', cause)
  }
}

function leavesOf(principal: Principal): readonly Principal[] {
  return isThreshold(principal) ? principal.of.flatMap(leavesOf) : [principal]
}
