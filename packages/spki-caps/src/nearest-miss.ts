import type { AbortOptions } from '@vault/core'
import { nothingFound } from './answer.ts'
import type { CertificateIndex } from './certificate-index.ts'
import type { Circumstances } from './circumstances.ts'
import { withDefaults } from './limits.ts'
import { covers } from './meet.ts'
import { subjectsBehind } from './name-link.ts'
import { isName, issuingTexts, principalText, vaultPrincipal, withNames } from './principal.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { isCapCert, isNameCert, tryOpenProofCert } from './proof-cert.ts'
import type { Question } from './question.ts'
import { reduce } from './reduce.ts'
import type { Verdict } from './trace.ts'
import { passedSteps } from './trace-step.ts'
import { createSignatureMemo } from './voices.ts'

/** Certificates that are looked at: it is for people, who read one trace. */
const MAX_OPENED = 256

/** Certificates in a row, from whoever was reached to those who ask. */
interface Row {
  readonly text: string
  /** Names behind it by which it was reached: only those go on from here who name whoever it is. */
  readonly rest: readonly string[]
  readonly proof: readonly OpenProofCert[]
}

/**
 * Why something is not granted: the verdict on the row of certificates that gets furthest from a root towards those who
 * ask. A search for a proof leaves out what does not hold, and so could only say that there is none. Grants nothing that
 * such a search would not: it is the same reduction.
 */
export async function nearestMiss(
  question: Question,
  index: CertificateIndex,
  circumstances: Circumstances,
  options: AbortOptions = {},
): Promise<Verdict> {
  const remembering = { ...circumstances, memo: circumstances.memo ?? createSignatureMemo() }
  const { depth } = withDefaults(circumstances.limits)
  let best: { readonly verdict: Verdict; readonly rank: number } | undefined
  let opened = 0
  let rows: readonly Row[] = textsOf(question, circumstances).map((text) => ({ text, rest: [], proof: [] }))
  while (rows.length > 0) {
    const longer: Row[] = []
    for (const { text, rest, proof } of rows) {
      for await (const envelope of index.naming(text, options)) {
        options.signal?.throwIfAborted()
        const cert = tryOpenProofCert(envelope)
        if (cert === undefined || proof.some(({ id }) => id === cert.id)) continue
        if (rest.length > 0 && !(isNameCert(cert) && principalText(cert.record.subject) === text)) continue
        if (++opened > MAX_OPENED) return best?.verdict ?? nothingFound(question)
        const row = [cert, ...proof]
        const verdict = reduce(question, row, remembering)
        const found = { verdict, rank: passedSteps(verdict) + MAX_OPENED * nearness(row, question, remembering) }
        // That somebody is called by a name to which nothing was granted tells him nothing.
        const isIdle = isNameCert(cert) && !verdict.ok && verdict.code === 'CAPS_NO_ROOT'
        if (!isIdle && (best === undefined || found.rank > best.rank)) best = found
        if (row.filter(isCapCert).length <= depth) longer.push(...rowsBehind(cert, rest, row))
      }
    }
    rows = longer
  }
  return best?.verdict ?? nothingFound(question)
}

/** 2: it was granted, and taken back. 1: what those who ask hold would be enough, if it counted. That is what they want to know. */
function nearness(row: readonly OpenProofCert[], question: Question, circumstances: Circumstances): number {
  if (reduce(question, row, { ...circumstances, revocations: 'unchecked' }).ok) return 2
  const last = row.findLast(isCapCert)
  return last !== undefined && covers(last.record.tag, question.tag) ? 1 : 0
}

/** Where a row goes on that ends with this certificate: at its issuer, or at the name that it defines, and at everybody whose name that may be. */
function rowsBehind(cert: OpenProofCert, rest: readonly string[], proof: readonly OpenProofCert[]): readonly Row[] {
  if (isCapCert(cert)) return issuingTexts(cert.record.issuer).map((text) => ({ text, rest: [], proof }))
  const { issuer, name: word } = cert.record
  const name = withNames(issuer, [word, ...rest])
  if (name === undefined || !isName(name)) return []
  return subjectsBehind(name).map((each) => ({ ...each, proof }))
}

/** Those who ask, and the vaults for which they may speak. */
function textsOf({ voices }: Question, { keys }: Circumstances): readonly string[] {
  const speaking = [...new Set(voices.claimed)].filter((key) => voices.has(key))
  const vaults = new Set(speaking.flatMap((key) => [...keys.vaultsOf(key)]))
  return [...speaking.flatMap(issuingTexts), ...[...vaults].map((vault) => principalText(vaultPrincipal(vault)))]
}
