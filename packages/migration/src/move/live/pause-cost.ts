/** What a round shows of what a pause costs. */
interface ShownCost {
  /** Objects and entries that it dealt with. */
  readonly dirty: number
  readonly ms: number
  /** It ended with comparing the roots, as a pause does. */
  readonly compares: boolean
}

/** Rounds that are gone by: what the machine could do earlier it may not be able to do now. */
const LATEST = 3

/** What the latest rounds have shown that a pause would take. */
export class PauseCost {
  #latest: readonly ShownCost[] = []

  add(shown: ShownCost): void {
    this.#latest = [...this.#latest.slice(1 - LATEST), shown]
  }

  /**
   * Milliseconds for so many objects and entries that are left: as much as the least of those rounds took that compared the roots and
   * dealt with as many, or with as many as there were, in proportion where there were fewer.
   */
  of(left: number): number {
    const like = this.#latest.filter(({ compares }) => compares)
    const shown = (like.length > 0 ? like : this.#latest).map(
      ({ dirty, ms }) => ms * Math.max(1, left / Math.max(1, dirty)),
    )
    return Math.round(Math.min(...shown))
  }
}
