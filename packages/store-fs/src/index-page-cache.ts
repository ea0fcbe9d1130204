import { viewOf } from '@vault/cas'

/** A page of a run, checked. */
export interface IndexPage {
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** Pages of all runs, 8 KiB each: 16 MiB. Lookups come sorted, so that more gains nothing: the system caches pages too. */
const MAX_PAGES = 2048

/** The pages used last. */
export class IndexPageCache {
  readonly #pages = new Map<number, IndexPage>()
  #runs = 0

  /** A number for a new run, which its pages are kept under. */
  enrol(): number {
    return this.#runs++
  }

  get(run: number, page: number): IndexPage | undefined {
    return this.#pages.get(keyOf(run, page))
  }

  keep(run: number, page: number, bytes: Uint8Array): IndexPage {
    if (this.#pages.size >= MAX_PAGES) {
      // The oldest: a Map keeps the order of insertion. Reads do not refresh it, which would cost more than it saves.
      const oldest = this.#pages.keys().next()
      if (!oldest.done) this.#pages.delete(oldest.value)
    }
    const kept = { bytes, view: viewOf(bytes) }
    this.#pages.set(keyOf(run, page), kept)
    return kept
  }
}

function keyOf(run: number, page: number): number {
  return run * 2 ** 32 + page
}
