import type { AbortOptions } from '@vault/core'
import type { CertificateIndex } from './certificate-index.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { tryOpenProofCert } from './proof-cert.ts'

/**
 * A search that asks for certificates as it goes: it yields the text of a principal, is given those which grant to him or name him, with
 * `undefined` for what cannot be read, and ends with what it found. So one search is for stores that have to be waited for, and for
 * certificates that are at hand.
 */
export type Reading<T> = Generator<string, T, readonly (OpenProofCert | undefined)[]>

/** Certificates by the texts of their subjects; each text is read once. */
export class IndexReader {
  readonly #index: CertificateIndex
  readonly #options: AbortOptions
  readonly #known = new Map<string, readonly (OpenProofCert | undefined)[]>()

  constructor(index: CertificateIndex, options: AbortOptions) {
    this.#index = index
    this.#options = options
  }

  /** Goes through a search. `most`: of one principal so many are read, and one more, by which whoever counts them sees that there are. */
  async run<T>(reading: Reading<T>, most: number): Promise<T> {
    let step = reading.next()
    while (step.done !== true) step = reading.next(await this.#naming(step.value, most))
    return step.value
  }

  async #naming(text: string, most: number): Promise<readonly (OpenProofCert | undefined)[]> {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const certs: (OpenProofCert | undefined)[] = []
    for await (const envelope of this.#index.naming(text, this.#options)) {
      this.#options.signal?.throwIfAborted()
      certs.push(tryOpenProofCert(envelope))
      if (certs.length > most) break
    }
    this.#known.set(text, certs)
    return certs
  }
}

/** Goes through a search among certificates that are at hand. */
export function readNow<T>(reading: Reading<T>, naming: (text: string) => readonly OpenProofCert[]): T {
  let step = reading.next()
  while (step.done !== true) step = reading.next(naming(step.value))
  return step.value
}
