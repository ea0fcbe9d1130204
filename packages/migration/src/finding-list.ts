import type { Finding } from '@vault/core'

const NAMED = 1_000

/** Findings in bounded memory: the first thousand, and the number of the others. */
export class FindingList {
  readonly #named: Finding[] = []
  #omitted = 0

  add(finding: Finding): void {
    if (this.#named.length < NAMED) this.#named.push(finding)
    else this.#omitted++
  }

  get count(): number {
    return this.#named.length + this.#omitted
  }

  get summary(): { readonly findings: readonly Finding[]; readonly omitted: number } {
    return { findings: [...this.#named], omitted: this.#omitted }
  }
}
