import type { ContentId } from '@vault/core'
import type { CapCert, CapCertDraft } from '../cap-cert.ts'
import { timeText } from '../check-cert.ts'
import type { Principal } from '../principal.ts'
import { isName, isNameWord, isThreshold, principalText, withNames } from '../principal.ts'
import { vaultTag } from '../vault-tag.ts'
import { isOnline, onlineFromSexp, onlineToSexp } from './online-sexp.ts'
import type { Sexp, SexpText } from './sexp.ts'
import { invalidSexp, isOctets, sexp, textOf } from './sexp.ts'
import { tagFromSexp, tagToSexp } from './tag-sexp.ts'

/** Whom and what the names in an `spki-cert` mean. `undefined`: nobody, and nothing. */
export interface SpkiNames {
  principal(name: string): Principal | undefined
  object(name: string): ContentId | undefined
}

/** What an `spki-cert` says, to be signed as a certificate. */
export type SpkiCertDraft = Omit<CapCertDraft, 'nonce'>

/**
 * Reads `(spki-cert (issuer …) (subject …) (capability (action …) (object …)) (validity (not-after "2026-02-01")))`, also
 * with `(tag …)` instead of a capability, with `(delegation true)` or `(propagate)`, and with `(online crl|reval|one-time (uri) NAME
 * (max-age "600"))` in the validity. A date means all of its day. What it
 * says is not signed by it. Throws `CAPS_SEXP_INVALID` for an unknown field or name, `CAPS_TAG_INVALID`.
 */
export function readSpkiCert(value: Sexp, names: SpkiNames): SpkiCertDraft {
  const fields = fieldsOf(value, 'spki-cert')
  const known = ['issuer', 'subject', 'capability', 'tag', 'validity', 'delegation', 'propagate']
  const unknown = [...fields.keys()].find((name) => !known.includes(name))
  if (unknown !== undefined) throw invalidSexp(`the field ${unknown} is unknown`)
  const named = (name: string): Principal => principalFromSexp(only(fields.get(name), name), names)
  const validity = fields.get('validity') ?? []
  const { notBefore, notAfter } = validityOf(validity.filter((field) => !isOnline(field)))
  const checks = validity.filter(isOnline).map((field) => onlineFromSexp(field, (by) => principalFromSexp(by, names)))
  return {
    issuer: named('issuer'),
    subject: named('subject'),
    tag: tagOf(fields, names),
    delegate: delegates(fields),
    ...(notBefore === undefined ? {} : { notBefore }),
    expires: notAfter ?? null,
    ...(checks.length === 0 ? {} : { checks }),
  }
}

/** Writes a certificate as `spki-cert`, for people and other software. Without its nonce and signatures it proves nothing. */
export function writeSpkiCert(cert: CapCert): Sexp {
  const { issuer, subject, tag, delegate, notBefore, expires, checks } = cert
  const bounds = [
    ...boundsOf({ notBefore, expires }).map(sexp),
    ...checks.map((test) => onlineToSexp(test, principalToSexp)),
  ]
  return [
    sexp('spki-cert'),
    [sexp('issuer'), principalToSexp(issuer)],
    [sexp('subject'), principalToSexp(subject)],
    [sexp('tag'), tagToSexp(tag)],
    ...(delegate ? [sexp(['propagate'])] : []),
    ...(bounds.length === 0 ? [] : [[sexp('validity'), ...bounds]]),
  ]
}

/** The bounds of a certificate as they are written; `not-after` is its last second. */
export function boundsOf({ notBefore, expires }: Pick<CapCert, 'notBefore' | 'expires'>): readonly SexpText[] {
  return [
    ...(notBefore === null ? [] : [['not-before', timeText(notBefore)]]),
    ...(expires === null ? [] : [['not-after', timeText(expires - 1)]]),
  ]
}

/** A principal by the name under which it is known; or `(name …)`, that one's names. */
export function principalFromSexp(value: Sexp, names: Pick<SpkiNames, 'principal'>): Principal {
  if (!isOctets(value)) return nameFromSexp(value, names)
  const text = textOf(value) ?? ''
  const principal = names.principal(text)
  if (principal === undefined) throw invalidSexp(`nobody is known as ${JSON.stringify(text)}`)
  return principal
}

function nameFromSexp(value: readonly Sexp[], names: Pick<SpkiNames, 'principal'>): Principal {
  const [head, whose, ...words] = value
  const texts = words.map((word) => textOf(word) ?? '')
  if (textOf(head) !== 'name' || whose === undefined || !isOctets(whose))
    throw invalidSexp('a list is no name of anybody')
  const of = principalFromSexp(whose, names)
  const name = texts.length === 0 ? undefined : withNames(of, texts)
  if (name === undefined || !isName(name) || !texts.every(isNameWord))
    throw invalidSexp('words are no name of that one')
  return name
}

export function principalToSexp(principal: Principal): Sexp {
  if (isName(principal)) return sexp(['name', principalText(principal.of), ...principal.names])
  if (!isThreshold(principal)) return sexp(principalText(principal))
  const { threshold, of } = principal
  return [sexp('k-of-n'), sexp(`${threshold}`), sexp(`${of.length}`), ...of.map(principalToSexp)]
}

function tagOf(fields: Fields, names: SpkiNames): SpkiCertDraft['tag'] {
  const [capability, tag] = [fields.get('capability'), fields.get('tag')]
  if ((capability === undefined) === (tag === undefined)) throw invalidSexp('it has not one of capability and tag')
  if (tag !== undefined) return tagFromSexp(only(tag, 'tag'))
  const parts = fieldsOf([sexp('capability'), ...(capability as readonly Sexp[])], 'capability')
  const [action, object] = ['action', 'object'].map((name) => textOf(only(parts.get(name), name)))
  if (parts.size !== 2) throw invalidSexp('a capability has more than action and object')
  const id = object === undefined ? undefined : names.object(object)
  if (action === undefined || id === undefined) throw invalidSexp('a capability names no known object')
  return vaultTag({ actions: [action], object: id })
}

function delegates(fields: Fields): boolean {
  const [delegation, propagate] = [fields.get('delegation'), fields.get('propagate')]
  if (propagate !== undefined) {
    if (propagate.length > 0 || delegation !== undefined) throw invalidSexp('"propagate" stands alone')
    return true
  }
  const text = delegation === undefined ? 'false' : textOf(only(delegation, 'delegation'))
  if (text !== 'true' && text !== 'false') throw invalidSexp('"delegation" is not true or false')
  return text === 'true'
}

/** The times of a list of bounds. */
export function validityOf(value: readonly Sexp[] | undefined): {
  readonly notBefore?: Date
  readonly notAfter?: Date
} {
  if (value === undefined) return {}
  const bounds = fieldsOf([sexp('validity'), ...value], 'validity')
  const times: { notBefore?: Date; notAfter?: Date } = {}
  for (const [name, bound] of bounds) {
    const text = textOf(only(bound, name)) ?? ''
    if (name === 'not-before') times.notBefore = timeOf(text, 0)
    // The last second belongs to it; for a date, the last of its day.
    else if (name === 'not-after') times.notAfter = timeOf(text, text.length === 10 ? 86_400 : 1)
    else throw invalidSexp(`the bound ${name} is unknown`)
  }
  return times
}

function timeOf(text: string, secondsAfter: number): Date {
  const time = text.length === 10 ? `${text}T00:00:00Z` : text.replace('_', 'T').replace(/Z?$/, 'Z')
  const date = new Date(time)
  if (Number.isNaN(date.getTime()) || date.toISOString().replace('.000Z', 'Z') !== time) {
    throw invalidSexp(`${JSON.stringify(text.slice(0, 40))} is no date and no time`)
  }
  return new Date(date.getTime() + secondsAfter * 1000)
}

type Fields = ReadonlyMap<string, readonly Sexp[]>

/** The lists of a list, by the words with which they begin; each once. */
export function fieldsOf(value: Sexp, name: string): Fields {
  if (isOctets(value) || textOf(value[0]) !== name) throw invalidSexp(`it is no ${name}`)
  const fields = new Map<string, readonly Sexp[]>()
  for (const field of value.slice(1)) {
    const head = isOctets(field) ? undefined : textOf(field[0])
    if (head === undefined || fields.has(head)) throw invalidSexp(`a field of ${name} has no name, or is there twice`)
    fields.set(head, (field as readonly Sexp[]).slice(1))
  }
  return fields
}

export function only(values: readonly Sexp[] | undefined, name: string): Sexp {
  const [value, ...others] = values ?? []
  if (value === undefined || others.length > 0) throw invalidSexp(`"${name}" is not one value`)
  return value
}
