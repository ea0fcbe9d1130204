import type { BulkCasReader } from '@vault/cas'
import type { AbortOptions, ContentId, Random } from '@vault/core'
import { decodeEnvelope, isVaultError } from '@vault/core'
import type { Statement } from '@vault/transfer'
import { checkObjects } from './check-target.ts'
import type { RehashingTarget } from './endpoint.ts'
import type { Verification } from './plan.ts'
import { possessionsOf } from './possessions-of.ts'
import { MAX_REHASHED, verifyRehash } from './records/rehash.ts'
import type { CheckStep, Coverage } from './report.ts'
import { coverageOf } from './report.ts'

/** Who is asked to hash its own store, and for what. */
export interface Asked {
  readonly target: RehashingTarget
  readonly vault: ContentId
  readonly migration: string
  readonly random: Random
}

interface Parts {
  readonly source: BulkCasReader
  readonly target: BulkCasReader
  /** Absent: everything is read back. */
  readonly asked?: Asked
}

const NONCE_LENGTH = 32

/**
 * Whether a target has the bytes of objects. One that is far away proves it with every byte in the proof and a nonce that it could not
 * foresee, and the source's own bytes are the measure: its word alone counts for nothing. What it does not prove is read back here.
 */
export class ContentCheck {
  readonly #parts: Parts
  #proven = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async *check(ids: readonly ContentId[], options: AbortOptions): AsyncGenerator<CheckStep> {
    const { target, asked } = this.#parts
    if (asked === undefined) return yield* checkObjects(target, ids, options)
    // A page of which one object does not read back is read as a whole.
    for (let from = 0; from < ids.length; from += MAX_REHASHED) {
      const page = ids.slice(from, from + MAX_REHASHED)
      const bytes = await this.#prove(asked, page, options)
      if (bytes === undefined) {
        yield* checkObjects(target, page, options)
        continue
      }
      this.#proven += page.length
      yield { type: 'checked', objects: page.length, bytes, entries: 0 }
    }
  }

  /** What was covered, and who did it. */
  coverage(verification: Verification, counts: Statement['counts']): Coverage {
    const coverage = coverageOf(verification, counts)
    return this.#proven > 0 && coverage.mode === 'full' ? { mode: 'proven', objects: this.#proven } : coverage
  }

  /** How many bytes the objects have, where the target has proven that it has the same. */
  async #prove(
    { target, vault, migration, random }: Asked,
    ids: readonly ContentId[],
    options: AbortOptions,
  ): Promise<number | undefined> {
    const nonce = random(NONCE_LENGTH)
    // Both at the same time, each on its own machine.
    const answered = target.rehash({ vault, migration, ids, nonce }, options)
    answered.catch(() => {})
    const own = await possessionsOf(this.#parts.source, { ids, place: target.key, migration, nonce }, options)
    const answer = await answered
    if (own === undefined || answer === undefined) return undefined
    try {
      verifyRehash(decodeEnvelope(answer), { vault, migration, nonce, possessions: own.proofs, place: target.key })
    } catch (error) {
      if (!isVaultError(error)) throw error
      return undefined
    }
    return own.bytes
  }
}

/** Whether a target is asked: it can answer, everything is to be checked, and nobody wants it read back. */
export function askedOf(
  target: object,
  {
    verification,
    reread,
    ...request
  }: Omit<Asked, 'target'> & { readonly verification: Verification; readonly reread: boolean },
): { readonly asked?: Asked } {
  if (reread || verification.mode !== 'full' || !isRehashing(target)) return {}
  return { asked: { target, ...request } }
}

function isRehashing(target: object): target is RehashingTarget {
  return 'rehash' in target
}
