import type { DifferenceStep } from '@vault/transfer'
import type { MigrationPhase, Progress, Sent, Share } from './event.ts'
import type { Checked } from './report.ts'

/** Objects and their bytes. */
type Amount = Pick<Checked, 'objects' | 'bytes'>

/** Adds up what a run sends, and says how far it is. */
export class Ledger {
  #round = 0
  #total: Amount | undefined
  #sent: Sent = { objects: 0, bytes: 0, entries: 0, versions: 0, objectsRemoved: 0, entriesRemoved: 0 }
  readonly #before: Amount

  /** `before`: what the target has when the run begins. */
  constructor(before: Amount) {
    this.#before = before
  }

  /** `total`: what the target is to have; absent where that is not known before. */
  beginRound(total?: Amount): void {
    this.#round++
    this.#total = total
  }

  add(step: DifferenceStep): void {
    const sent = this.#sent
    switch (step.type) {
      case 'objects':
        this.#sent = { ...sent, objects: sent.objects + step.ids.length, bytes: sent.bytes + step.bytes }
        return
      case 'entries':
        this.#sent = { ...sent, entries: sent.entries + step.entries, versions: sent.versions + step.versions }
        return
      case 'objects-removed':
        this.#sent = { ...sent, objectsRemoved: sent.objectsRemoved + step.ids.length }
        return
      case 'entries-removed':
        this.#sent = { ...sent, entriesRemoved: sent.entriesRemoved + step.keys.length }
    }
  }

  get rounds(): number {
    return this.#round
  }

  get sent(): Sent {
    return this.#sent
  }

  /** Objects and entries that were sent, or taken away. */
  get items(): number {
    const { objects, entries, objectsRemoved, entriesRemoved } = this.#sent
    return objects + entries + objectsRemoved + entriesRemoved
  }

  transferred(): Progress {
    const { objects, bytes } = this.#before
    return this.#progress('transfer', { objects: objects + this.#sent.objects, bytes: bytes + this.#sent.bytes })
  }

  verified(checked: Amount): Progress {
    return this.#progress('verify', checked)
  }

  #progress(phase: MigrationPhase, done: Amount): Progress {
    const share = (unit: keyof Amount): Share => {
      const total = this.#total?.[unit]
      return total === undefined ? { done: done[unit] } : { done: Math.min(done[unit], total), total }
    }
    return { phase, round: this.#round, objects: share('objects'), bytes: share('bytes') }
  }
}
