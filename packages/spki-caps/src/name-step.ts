import type { ContentId, KeyId } from '@vault/core'
import { Above } from './above.ts'
import { checkEpoch, checkRevocation, checkSignature, checkValidity } from './check-cert.ts'
import type { Circumstances } from './circumstances.ts'
import type { ChainLink } from './close-chain.ts'
import type { Holding } from './holding.ts'
import { holdingNamed, joinOrUndefined } from './holding.ts'
import type { OpenNameCert } from './name-cert.ts'
import type { Resolution } from './name-link.ts'
import { checkResolution, definedName, isAbout, resolved } from './name-link.ts'
import type { NamePrincipal } from './principal.ts'
import { namesIn, principalText } from './principal.ts'
import type { Outcome } from './refusal.ts'
import { lookAt, refuse } from './refusal.ts'
import type { TraceStep } from './trace.ts'
import { unseenCert } from './trace-step.ts'

/** What of a chain stands before a link. */
export interface Before {
  readonly holdings: readonly Holding[]
  readonly seen: ReadonlySet<ContentId>
  /** The texts of those who have issued. */
  readonly issued: ReadonlySet<string>
}

/** One certificate may be about many names that begin alike. */
const MAX_RESOLUTIONS = 64

/** A name that stands in a chain, and all that is held by it. */
interface Named {
  readonly name: NamePrincipal
  readonly parents: readonly Holding[]
}

/**
 * A link that says who is called by a name of the chain. It grants nothing, takes nothing from what was granted, and is no certificate that
 * follows on another one: only for how long it holds, and who may take it back, goes on.
 */
export function nameStep(
  cert: OpenNameCert,
  before: Before,
  circumstances: Circumstances,
): { readonly step: TraceStep; readonly holdings: readonly Holding[]; readonly link?: ChainLink } {
  const named = namedBy(cert, before.holdings)
  const parents = new Set(named.flatMap((each) => each.parents))
  const over = [...parents].map((each) => each.upstream)
  const upstream = new Above([principalText(cert.record.issuer)], over)
  const holdings: Holding[] = []
  const resolutions: Resolution[] = []
  let keys: readonly KeyId[] = []
  const looked = lookAt([
    [
      'chain',
      () => {
        const placed = checkPlace(cert, named, before)
        if ('code' in placed) return placed
        const outcomes = named.map(({ name, parents: own }): Outcome => {
          const into = resolved(cert, name)
          const held = joinOrUndefined(own)
          if (held === undefined) return refuse('CAPS_TAG_EMPTY', 'those who grant to the name have nothing in common')
          const outcome = checkResolution(into, name, held, before.issued)
          if ('code' in outcome || into === undefined) return outcome
          holdings.push(holdingNamed(held, cert, { name, into }))
          resolutions.push({ name, into })
          return outcome
        })
        return outcomes.find((outcome) => !('code' in outcome)) ?? (outcomes[0] as Outcome)
      },
    ],
    ['validity', () => checkValidity(cert, circumstances.now)],
    ['revocation', () => checkRevocation(cert, circumstances, upstream)],
    ['keys', () => checkEpoch(cert, circumstances)],
    [
      'signature',
      () => {
        const checked = checkSignature(cert, circumstances, upstream)
        keys = checked.keys
        return checked.outcome
      },
    ],
  ])
  const step = { ...unseenCert(cert), ...looked }
  return looked.refusal === undefined ? { step, holdings, link: { cert, resolutions, keys } } : { step, holdings: [] }
}

function checkPlace(cert: OpenNameCert, named: readonly Named[], { holdings, seen }: Before): Outcome {
  const asked = principalText(definedName(cert))
  if (seen.has(cert.id)) return refuse('CAPS_CYCLIC', 'it stands in the chain twice', { asked: cert.id })
  if (named.length > MAX_RESOLUTIONS)
    return refuse('CAPS_TOO_LARGE', `more than ${MAX_RESOLUTIONS} names begin with its own`)
  if (named.length > 0) return { note: 'a name to which the chain grants' }
  const have = principalText((holdings.at(-1) as Holding).subject)
  return refuse('CAPS_CHAIN_BROKEN', 'its name is none to which the chain grants', { have, asked })
}

/** The names of a chain about which a certificate is, each once, with everything that was granted to it. */
function namedBy(cert: OpenNameCert, holdings: readonly Holding[]): readonly Named[] {
  const found = new Map<string, { readonly name: NamePrincipal; readonly parents: Holding[] }>()
  for (const holding of holdings) {
    for (const name of namesIn(holding.subject)) {
      const text = principalText(name)
      // What a name holds as a part of what it stands for is no more than it has.
      if (!isAbout(cert, name) || holding.resolved.has(text)) continue
      const known = found.get(text)
      if (known === undefined) found.set(text, { name, parents: [holding] })
      else known.parents.push(holding)
    }
  }
  return [...found.values()]
}
