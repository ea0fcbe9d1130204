import type { Finding } from '@vault/core'
import type { Statement } from '@vault/transfer'
import { FindingList } from './finding-list.ts'
import type { Verification } from './plan.ts'
import { missProbabilities, sampleOf } from './sample.ts'

/** What was verified, and by whom. */
export type Coverage =
  /** Everything was read back and hashed by who drives the migration. */
  | { readonly mode: 'full' }
  /**
   * So many objects were read back and hashed by the target itself: it signed a proof with every byte of them and a nonce in it, which was
   * held against the bytes of the source. All others were read back.
   */
  | { readonly mode: 'proven'; readonly objects: number }
  | {
      readonly mode: 'sample'
      readonly size: number
      readonly seed: string
      /** How likely it is that none of so many bad objects was in the sample. */
      readonly missProbability: readonly { readonly bad: number; readonly probability: number }[]
    }
  /** What this run sent, as it was sent: the rest was verified whole when the target became a replica. */
  | { readonly mode: 'difference' }

export interface Checked {
  readonly objects: number
  readonly bytes: number
  readonly entries: number
}

/** The outcome of a verification. */
export interface Report {
  readonly ok: boolean
  /** The first thousand. */
  readonly findings: readonly Finding[]
  /** How many more there are. */
  readonly omitted: number
  readonly checked: Checked
  /** What the source was when the target was compared with it. */
  readonly statement: Statement
  readonly coverage: Coverage
}

/** A step of a verification. */
export type CheckStep =
  | ({ readonly type: 'checked' } & Checked)
  | { readonly type: 'finding'; readonly finding: Finding }

/** Adds up the steps of a verification. */
export class Tally {
  readonly #findings: FindingList = new FindingList()
  #checked: Checked = { objects: 0, bytes: 0, entries: 0 }

  add(step: CheckStep): void {
    if (step.type === 'finding') {
      this.#findings.add(step.finding)
      return
    }
    const { objects, bytes, entries } = this.#checked
    this.#checked = { objects: objects + step.objects, bytes: bytes + step.bytes, entries: entries + step.entries }
  }

  get checked(): Checked {
    return this.#checked
  }

  report(statement: Statement, coverage: Coverage): Report {
    return { ok: this.#findings.count === 0, ...this.#findings.summary, checked: this.#checked, statement, coverage }
  }
}

/** What a verification of this kind covers in a vault of so many objects and entries. */
export function coverageOf(verification: Verification, { objects, entries }: Statement['counts']): Coverage {
  const sample = sampleOf(verification, Math.max(objects, entries))
  if (sample === undefined) return { mode: 'full' }
  const { size, seed } = sample
  return { mode: 'sample', size, seed, missProbability: missProbabilities(objects, size) }
}
