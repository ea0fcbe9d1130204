import type { KeyId } from '@vault/core'
import type { Holding } from './holding.ts'
import type { OpenNameCert } from './name-cert.ts'
import type { NamePrincipal, Principal } from './principal.ts'
import { namesIn, principalText, withNames } from './principal.ts'
import type { Outcome } from './refusal.ts'
import { refuse } from './refusal.ts'
import type { Said, Way } from './speak.ts'

/** A way in which a name has spoken. */
export interface NameWay extends Way {
  /** The text of whose name it is. */
  readonly of: string
  /** The keys that signed that somebody is called so. */
  readonly by: readonly KeyId[]
}

/** A name, and for whom it stands by a certificate. */
export interface Resolution {
  readonly name: NamePrincipal
  readonly into: Principal
}

/** The name that a certificate defines. */
export function definedName({ record }: OpenNameCert): NamePrincipal {
  return { of: record.issuer, names: [record.name] }
}

/** Whether a name is the one that the certificate defines, or goes on from it. */
export function isAbout({ record }: OpenNameCert, { of, names }: NamePrincipal): boolean {
  return names[0] === record.name && principalText(of) === principalText(record.issuer)
}

/** The text of the name of which this one is, or goes on from. */
export function headText({ of, names }: NamePrincipal): string {
  return principalText({ of, names: names.slice(0, 1) })
}

/** The texts of all whom a certificate may name so that this name speaks when another one does, and what of its words is left behind them. */
export function subjectsBehind(
  name: NamePrincipal,
): readonly { readonly text: string; readonly rest: readonly string[] }[] {
  const { of, names } = name
  const shorter = names.map((_, kept) => ({
    text: principalText(kept === 0 ? of : { of, names: names.slice(0, kept) }),
    rest: names.slice(kept),
  }))
  return [{ text: principalText(name), rest: [] }, ...shorter]
}

/** What becomes of a name that begins with the one which the certificate defines; `undefined` where what is left of it is nobody's name. */
export function resolved({ record }: OpenNameCert, { names }: NamePrincipal): Principal | undefined {
  return withNames(record.subject, names.slice(1))
}

/** Whether a name may become this, after all that stands before it. */
export function checkResolution(
  into: Principal | undefined,
  name: NamePrincipal,
  held: Pick<Holding, 'resolved'>,
  issued: ReadonlySet<string>,
): Outcome {
  const have = principalText(name)
  if (into === undefined) {
    return refuse('CAPS_CHAIN_BROKEN', 'whom it names calls nobody by the names that are left', { have })
  }
  const asked = principalText(into)
  if (asked === have || held.resolved.has(asked) || held.resolved.has(have)) {
    return refuse('CAPS_CYCLIC', 'the name leads back to itself', { have, asked })
  }
  if (issued.has(asked)) return refuse('CAPS_CYCLIC', 'it names one who has already granted on', { have, asked })
  return { note: `${have} is ${asked}` }
}

/**
 * How a name speaks by a certificate, where its subject, with what is left of the name behind it, has spoken so. Whoever is called by the
 * name with names of his own says alone who they are: so all whom he calls so are one in a threshold, by his keys.
 */
export function wayByName({ record }: OpenNameCert, by: readonly KeyId[], { keys, through }: Said<Way>): NameWay {
  const of = principalText(record.issuer)
  const isByNames = namesIn(record.subject).length > 0
  const says = through.flatMap((way) => (isByNames && isNameWay(way) && way.of !== of ? way.by : []))
  return { keys: [...new Set([...keys, ...says])], of, by }
}

// In a threshold of 64 no more are ever needed of one member.
const MAX_WAYS = 64

/** The ways with one more; the same where it takes no other keys than one of them, or there are many. */
export function withWay<W extends Way>(ways: readonly W[], way: W): readonly W[] {
  const isKnown = ways.some(({ keys }) => keys.every((key) => way.keys.includes(key)))
  return isKnown || ways.length === MAX_WAYS ? ways : [...ways, way]
}

function isNameWay(way: Way): way is NameWay {
  return 'by' in way
}
