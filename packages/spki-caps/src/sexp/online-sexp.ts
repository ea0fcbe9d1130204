import type { OnlineTest } from '../online-test.ts'
import { isValidationCheck } from '../online-test.ts'
import type { Principal } from '../principal.ts'
import type { Sexp } from './sexp.ts'
import { invalidSexp, isOctets, sexp, textOf } from './sexp.ts'

// RFC 2693, section 5.2: `(online crl|reval|one-time (uri …) principal …)`. How old an answer may be stands there in the answer; here
// the certificate says it, in a part of its own.

const TYPES = { revocations: 'crl', validation: 'reval', once: 'one-time' } as const
const KINDS = ['revocations', 'validation', 'once'] as const

export function isOnline(field: Sexp): field is readonly Sexp[] {
  return !isOctets(field) && textOf(field[0]) === 'online'
}

/**
 * Reads `(online reval (uri) NAME (max-age "600"))`. Whoever verifies is shown the answers and fetches none, so an address
 * in it has no counterpart and is refused, as is every other part. Throws `CAPS_SEXP_INVALID`.
 */
export function onlineFromSexp(field: readonly Sexp[], principalOf: (value: Sexp) => Principal): OnlineTest {
  const [, type, ...parts] = field
  const kind = KINDS.find((each) => TYPES[each] === textOf(type))
  if (kind === undefined) throw invalidSexp('an online test is none of crl, reval and one-time')
  const [first] = parts
  const uris = first !== undefined && !isOctets(first) && textOf(first[0]) === 'uri' ? first : undefined
  if (uris !== undefined && uris.length > 1) {
    throw invalidSexp('an online test says where to ask, and nobody asks there: its answers are shown')
  }
  const [by, age, ...others] = uris === undefined ? parts : parts.slice(1)
  if (by === undefined || age === undefined || others.length > 0) {
    throw invalidSexp('an online test is not by one principal, with one "max-age"')
  }
  const test = { by: principalOf(by), maxAge: ageOf(age) }
  return kind === 'revocations' ? test : { ...test, kind }
}

export function onlineToSexp(test: OnlineTest, principalToSexp: (principal: Principal) => Sexp): Sexp {
  const type = TYPES[isValidationCheck(test) ? test.kind : 'revocations']
  return [sexp('online'), sexp(type), sexp(['uri']), principalToSexp(test.by), sexp(['max-age', `${test.maxAge}`])]
}

function ageOf(value: Sexp): number {
  const [name, text, ...others] = isOctets(value) ? [] : value
  const age = textOf(text) ?? ''
  if (textOf(name) !== 'max-age' || others.length > 0 || !/^(0|[1-9]\d{0,14})$/.test(age)) {
    throw invalidSexp('"max-age" is no number of seconds')
  }
  return Number(age)
}
