import type { Mark, MigrationPhase, Progress } from '@vault/migration'
import type { Standing } from './progress.ts'

const LABELS: Readonly<Partial<Record<MigrationPhase, string>>> = { transfer: 'Transferring', verify: 'Verifying' }

/** What a progress line says of a migration, with the time left from how fast each phase has gone so far. */
export class MigrationStanding {
  readonly #pace: Pick<typeof import('@vault/migration'), 'addMark' | 'secondsLeft'>
  #phase: MigrationPhase | undefined
  #marks: readonly Mark[] = []

  private constructor(pace: Pick<typeof import('@vault/migration'), 'addMark' | 'secondsLeft'>) {
    this.#pace = pace
  }

  /** The library is loaded with the first migration: other commands need not wait for it. */
  static async create(): Promise<MigrationStanding> {
    return new MigrationStanding(await import('@vault/migration'))
  }

  after({ phase, objects, bytes }: Progress): Standing {
    if (phase !== this.#phase) this.#marks = []
    this.#phase = phase
    const { addMark, secondsLeft } = this.#pace
    this.#marks = addMark(this.#marks, { at: performance.now(), objects: objects.done, bytes: bytes.done })
    const standing = { label: LABELS[phase] ?? phase, ...objects, bytes: bytes.done }
    if (objects.total === undefined || bytes.total === undefined) return standing
    const left = { objects: objects.total - objects.done, bytes: bytes.total - bytes.done }
    return { ...standing, totalBytes: bytes.total, secondsLeft: secondsLeft(this.#marks, left) }
  }
}
