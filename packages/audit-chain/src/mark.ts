import type { AbortOptions, Bytes, Finding } from '@vault/core'
import { equalBytes } from '@vault/core'
import type { TrailReader } from './trail.ts'
import { trailError } from './trail-error.ts'

/** The furthest that a vault was seen to be at a place. It lies where an old copy of the vault does not bring an old one with it. */
export interface Mark {
  /** Hand-offs that the vault had behind it. */
  readonly epoch: number
  /** Number of its last change. */
  readonly sequence: number
  /** Entries of its trail, and the root over them. */
  readonly size: number
  readonly root: Bytes
}

/** Keeps one mark. */
export interface HighWaterMark {
  /**
   * The mark; `undefined` where none was ever written. Throws `AUDIT_MARK_DAMAGED` where it is torn or changed: that is
   * damage of this machine's own state, and says nothing about the trail.
   */
  read(options?: AbortOptions): Promise<Mark | undefined>
  /** Replaces the mark; durable when it resolves. Whoever writes has checked that the new one is not behind the old one. */
  write(mark: Mark, options?: AbortOptions): Promise<void>
}

/** What a place says of the vault beside its trail. */
export interface Standing {
  readonly epoch: number
  readonly sequence: number
}

/**
 * Everything in which a vault is behind, or other than, what it was: `AUDIT_ROLLBACK` where it is an old copy, `AUDIT_FORK`
 * where its trail has another history up to the mark. Empty where all is well.
 */
export async function checkMark(
  mark: Mark,
  trail: TrailReader,
  standing: Standing,
  options?: AbortOptions,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const behind = (what: string, is: number, was: number): void => {
    if (is >= was) return
    const message = `The ${what} is ${is}, but was ${was}: an old copy was put back. Find the newer one before anything is written.`
    findings.push({ code: 'AUDIT_ROLLBACK', message, subject: what })
  }
  behind('epoch', standing.epoch, mark.epoch)
  behind('sequence', standing.sequence, mark.sequence)
  behind('size of the trail', trail.size, mark.size)
  if (trail.size >= mark.size && !equalBytes(await trail.rootAt(mark.size, options), mark.root)) {
    const message = `The first ${mark.size} entries of the trail are not those that were there before. Keep both checkpoints as evidence.`
    findings.push({ code: 'AUDIT_FORK', message, subject: `size ${mark.size}` })
  }
  return findings
}

/** Throws a `RangeError` for what is no mark, so that no store ever keeps one. */
export function checkMarkShape({ epoch, sequence, size, root }: Mark): void {
  for (const number of [epoch, sequence, size]) {
    if (!Number.isSafeInteger(number) || number < 0) throw new RangeError(`No mark has the number ${number}.`)
  }
  if (root.length !== 32) throw new RangeError(`No mark has a root of ${root.length} bytes.`)
}

/** The error of a mark that cannot be read as one. */
export function damagedMark(where: string, cause?: unknown): Error {
  const message = `The high-water mark ${where} is torn or changed. It is no evidence about the trail: check the trail otherwise, then remove the mark.`
  return trailError('AUDIT_MARK_DAMAGED', message, { file: where }, cause)
}
