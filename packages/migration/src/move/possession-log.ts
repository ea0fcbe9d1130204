import type { ContentId } from '@vault/core'
import { decodeEnvelope, isVaultError, VaultError } from '@vault/core'
import { MAX_POSSESSION_SAMPLE } from '../certificate/certificate.ts'
import type { MigrationErrorCode } from '../error.ts'
import { verifyAcceptance } from '../records/acceptance.ts'
import { verifyPossession } from '../records/possession.ts'
import type { MoveTarget, ProvingTarget } from './move-endpoint.ts'
import type { MoveState } from './state.ts'
import type { Work } from './work.ts'

const NONCE_LENGTH = 32

/**
 * After a batch is acknowledged, asks the target to prove that it holds one of its objects, which it could not know before
 * (X18): an acknowledgement alone is an echo. A target that cannot prove is not asked, and the certificate says so.
 */
export class PossessionLog {
  readonly #work: Work
  #known: MoveState['possession']

  constructor(work: Work) {
    this.#work = work
    this.#known = work.state.possession
  }

  /** All proofs of the migration so far. */
  get known(): MoveState['possession'] {
    return this.#known
  }

  /** Throws `MIGRATION_TARGET_LIES`. */
  async ask(batch: number, ids: readonly ContentId[]): Promise<void> {
    const { state, planId, parts, random, options } = this.#work
    const { source, target } = parts
    if (!isProving(target) || ids.length === 0) return
    const { vault, migration } = state
    const id = ids[Math.floor(randomFraction(random(4)) * ids.length)] as ContentId
    const nonce = random(NONCE_LENGTH)
    const bytes = await source.objects.get(id, options)
    // Gone from the source meanwhile: there is nothing to compare with.
    if (bytes === undefined || state.acceptance === null) return
    const proof = await target.prove({ vault, migration, batch, id, nonce }, options).catch(async (error: unknown) => {
      if (!isVaultError(error, 'MIGRATION_TARGET_LIES')) throw error
      const [charged] = await source.soup.charged([id], options)
      if (charged === true) throw error
      // Removed meanwhile, and from the target by the batch behind this one.
      return undefined
    })
    if (proof === undefined) return
    const claim = { vault, migration, plan: planId, instance: target.instance }
    const { place } = verifyAcceptance(decodeEnvelope(state.acceptance), claim)
    try {
      verifyPossession(decodeEnvelope(proof), { vault, migration, batch, id, nonce, bytes, place })
    } catch (cause) {
      throw new VaultError<MigrationErrorCode>({
        code: 'MIGRATION_TARGET_LIES',
        message: `The target ${target.label} acknowledged ${id} and cannot prove that it holds it. Nothing was handed off; choose another target.`,
        details: { migration, batch, id },
        cause,
      })
    }
    const { asked, sample } = this.#known
    this.#known = { asked: asked + 1, sample: sample.length < MAX_POSSESSION_SAMPLE ? [...sample, proof] : sample }
  }
}

function isProving(target: MoveTarget | ProvingTarget): target is ProvingTarget {
  return 'prove' in target
}

function randomFraction(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32
}
