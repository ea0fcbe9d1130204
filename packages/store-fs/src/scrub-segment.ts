import type { PackDamage, PackEnd, PackRecords, PackSource, ScrubStep } from '@vault/cas'
import { PACK_ROW_LENGTH, PackRows, RECORD_HEADER_LENGTH, rowOffset, rowStored, scanPack, viewOf } from '@vault/cas'
import type { AbortOptions, ContentId, Finding } from '@vault/core'
import { idFromBytes, isVaultError } from '@vault/core'
import type { Fs } from './fs.ts'
import { errorCode } from './fs.ts'
import type { Claim } from './scrub-index.ts'
import { addToTally, collectLost, createTally, isSameTally } from './scrub-index.ts'
import type { SegmentFiles } from './segment-files.ts'
import { readFailed } from './system-refusal.ts'

/** Objects or bytes for one step. */
const STEP_OBJECTS = 4096
const STEP_BYTES = 8 * 1024 * 1024

interface SegmentParts {
  readonly fs: Fs
  readonly dir: string
  readonly files: SegmentFiles
  readonly name: string
  readonly claims: readonly Claim[]
}

/** Reads one segment wholly, hashes every object, and holds it against its trailer and the index. */
export async function* scrubSegment(parts: SegmentParts, options?: AbortOptions): AsyncGenerator<ScrubStep> {
  const subject = `objects/${parts.name}.pack`
  const scrub = new SegmentScrub(parts, subject)
  try {
    const size = await parts.files.size(parts.name)
    const source: PackSource = {
      file: subject,
      size,
      read: (into, position) =>
        parts.files.use(parts.name, async (file) => {
          options?.signal?.throwIfAborted()
          const wanted = into.subarray(0, Math.max(0, Math.min(into.length, size - position)))
          let length = 0
          while (length < wanted.length) {
            const read = await file.read(wanted.subarray(length), position + length)
            if (read === 0) break
            length += read
          }
          return length
        }),
    }
    const name = Uint8Array.from(Buffer.from(parts.name, 'hex'))
    for await (const step of scanPack(source, { name, check: 'hash' })) {
      if (step.type === 'records') scrub.add(step)
      else yield* scrub.finish(step)
      if (scrub.full) yield scrub.take()
    }
  } catch (error) {
    // Gone: another process has taken it away, and what it held stands elsewhere.
    if (errorCode(error) === 'ENOENT') return
    yield { checked: 0, bytes: 0, damaged: [], findings: [unreadable(error, subject, parts.files.path(parts.name))] }
  }
}

/** Sums up what a scan of one segment finds. */
class SegmentScrub {
  readonly #parts: SegmentParts
  readonly #subject: string
  readonly #all = createTally()
  /** What the records give for each claim. */
  readonly #tallies: ReturnType<typeof createTally>[]
  readonly #damage: PackDamage[] = []
  #checked = 0
  #bytes = 0
  #damaged: ContentId[] = []

  constructor(parts: SegmentParts, subject: string) {
    this.#parts = parts
    this.#subject = subject
    this.#tallies = parts.claims.map(createTally)
  }

  get full(): boolean {
    return this.#checked >= STEP_OBJECTS || this.#bytes >= STEP_BYTES
  }

  add({ sound, damaged, damage }: PackRecords): void {
    this.#tally(sound)
    this.#tally(damaged)
    this.#damaged.push(...idsOf(damaged))
    this.#damage.push(...damage)
  }

  /** What came together since the last call. */
  take(): ScrubStep {
    const damaged = this.#damaged
    const message = `${damaged.length} objects in it are not what they were. Store them again from another place.`
    const findings = damaged.length === 0 ? [] : [this.#finding('CAS_CORRUPT', message)]
    const step = { checked: this.#checked, bytes: this.#bytes, damaged, findings }
    this.#checked = 0
    this.#bytes = 0
    this.#damaged = []
    return step
  }

  async *finish(end: PackEnd): AsyncGenerator<ScrubStep> {
    const { claims } = this.#parts
    const last = this.take()
    yield last
    const ranges = this.#damage.map((damage) => this.#damageFinding(damage))
    const findings = end.damage.map((damage) => this.#damageFinding(damage))
    const known = Math.max(end.end, ...claims.map((claim) => claim.end))
    if (known > end.end) {
      findings.push(
        this.#finding('CAS_CORRUPT', `It was acknowledged up to offset ${known} and can be read up to ${end.end}.`),
      )
    } else if (!end.sealed && end.damage.length === 0 && claims.some(({ sealed }) => sealed)) {
      findings.push(
        this.#finding('CAS_CORRUPT', `The trailer at offset ${end.end} is missing. Its objects are found without it.`),
      )
    }
    const lost = await this.#lostIds(end, known)
    // A trailer tells everything that lay in a damaged range, so the range matters only as far as these objects do.
    const told = end.trailer !== undefined
    yield this.#stepOf(lost, told ? ranges : [])
    if (!told) findings.push(...ranges)
    const isWhole = last.findings.length === 0 && ranges.length === 0 && findings.length === 0
    if (isWhole) findings.push(...this.#disagreements(end))
    if (end.unacknowledged > 0 && isWhole && findings.length === 0) {
      const message = `${end.unacknowledged} bytes at offset ${end.end} were never acknowledged: a write was interrupted or is under way. Nothing is lost.`
      findings.push(this.#finding('CAS_UNACKNOWLEDGED', message))
    }
    yield this.#stepOf([], findings)
  }

  #stepOf(damaged: readonly ContentId[], findings: readonly Finding[]): ScrubStep {
    return { checked: 0, bytes: 0, damaged, findings }
  }

  /** Ids of records that no longer can be read, from the trailer or the index. */
  async #lostIds(end: PackEnd, known: number): Promise<ContentId[]> {
    const isLost = (offset: number) =>
      (offset >= end.end && offset < known) || this.#damage.some(({ from, to }) => offset >= from && offset < to)
    const lost = new PackRows()
    if (this.#damage.length > 0 && end.trailer !== undefined) {
      const view = viewOf(end.trailer)
      for (let at = 0; at < end.trailer.length; at += PACK_ROW_LENGTH) {
        if (isLost(rowOffset(view, at))) lost.appendAll(end.trailer.subarray(at, at + PACK_ROW_LENGTH))
      }
    } else if (this.#damage.length > 0 || known > end.end) {
      const paths = new Set(this.#parts.claims.map(({ path }) => path))
      for (const path of paths) await collectLost(this.#parts.fs, path, this.#parts.name, isLost, lost)
    }
    return idsOf(lost.bytes)
  }

  /** Trailer and index files that list other records than there are. */
  #disagreements(end: PackEnd): Finding[] {
    const findings: Finding[] = []
    if (end.trailer !== undefined) {
      const listed = createTally()
      for (let at = 0; at < end.trailer.length; at += PACK_ROW_LENGTH) addToTally(listed, end.trailer, at)
      if (!isSameTally(listed, this.#all)) {
        findings.push(
          this.#finding('CAS_CORRUPT', `The trailer at offset ${end.end} lists other objects than there are.`),
        )
      }
    }
    for (const [i, { path, tally }] of this.#parts.claims.entries()) {
      if (isSameTally(tally, this.#tallies[i] as typeof tally)) continue
      const subject = path.slice(this.#parts.dir.length + 1)
      const message = `It lists other objects of ${this.#subject} than there are. Remove this derived file; the next session reads the segments.`
      findings.push({ code: 'CAS_CORRUPT', message, subject })
    }
    return findings
  }

  #tally(rows: Uint8Array): void {
    const view = viewOf(rows)
    for (let at = 0; at < rows.length; at += PACK_ROW_LENGTH) {
      addToTally(this.#all, rows, at)
      const offset = rowOffset(view, at)
      for (const [i, { start, end }] of this.#parts.claims.entries()) {
        if (start <= offset && offset < end) addToTally(this.#tallies[i] as ReturnType<typeof createTally>, rows, at)
      }
      this.#bytes += RECORD_HEADER_LENGTH + rowStored(view, at)
    }
    this.#checked += rows.length / PACK_ROW_LENGTH
  }

  #damageFinding({ from, to, message }: PackDamage): Finding {
    return this.#finding('CAS_CORRUPT', `Bytes ${from} to ${to}: ${message}.`)
  }

  #finding(code: string, message: string): Finding {
    return { code, message, subject: this.#subject }
  }
}

/** The distinct ids of rows. */
export function idsOf(rows: Uint8Array): ContentId[] {
  const ids = new Set<ContentId>()
  for (let at = 0; at < rows.length; at += PACK_ROW_LENGTH) ids.add(idFromBytes(rows.subarray(at, at + 36)))
  return [...ids]
}

function unreadable(error: unknown, subject: string, path: string): Finding {
  if (isVaultError(error)) return { code: error.code, message: error.message, subject }
  if (errorCode(error) !== 'EIO') throw readFailed(path, error)
  return {
    code: 'CAS_CORRUPT',
    message: 'The disk cannot read it (EIO). Copy what can be read to another disk.',
    subject,
  }
}
