import type { AbortOptions, ContentId, Envelope } from '@vault/core'
import { decodeEntry, entryKey, type SoupReader } from '@vault/soup'
import { type CertificateIndex, openCapCert } from '@vault/spki-caps'
import { CAP_PREFIX, type KeptCap, keptCap, subjectPrefix } from './cap-entry.ts'

/** The certificates in the soup of a vault, found by those to whom they grant without reading any other. */
export class SoupCertificates implements CertificateIndex {
  readonly #soup: Pick<SoupReader, 'query' | 'entriesByKey' | 'entry'>
  readonly #anchors = new Map<ContentId, number>()

  constructor(soup: Pick<SoupReader, 'query' | 'entriesByKey' | 'entry'>) {
    this.#soup = soup
  }

  async *naming(text: string, options: AbortOptions = {}): AsyncGenerator<Envelope> {
    const prefix = subjectPrefix(text)
    for await (const page of this.#soup.query({ prefix }, options)) {
      const keys = page.map(({ key }) => entryKey(`${CAP_PREFIX}${key.slice(prefix.length)}`))
      for (const { bytes } of await this.#soup.entriesByKey(keys, options)) {
        const kept = keptCap(decodeEntry(bytes))
        if (kept !== undefined) yield this.#remember(kept)
      }
    }
  }

  /** All of them. */
  async *all(options: AbortOptions = {}): AsyncGenerator<Envelope> {
    for await (const page of this.#soup.query({ prefix: CAP_PREFIX }, options)) {
      for (const entry of page) {
        const kept = keptCap(entry)
        if (kept !== undefined) yield this.#remember(kept)
      }
    }
  }

  /** The one with this id. */
  async read(id: string, options: AbortOptions = {}): Promise<Envelope | undefined> {
    const entry = await this.#soup.entry(`${CAP_PREFIX}${id}`, options)
    const kept = entry && keptCap(entry)
    return kept && this.#remember(kept)
  }

  /** Whether a certificate that was read here was in the vault before this key event. */
  isBefore(certificate: ContentId, seq: number): boolean {
    const anchor = this.#anchors.get(certificate)
    return anchor !== undefined && anchor < seq
  }

  #remember({ envelope, anchor }: KeptCap): Envelope {
    // What is no certificate is nobody's proof, and is passed over by whoever looks for one.
    try {
      this.#anchors.set(openCapCert(envelope).id, anchor)
    } catch {
      return envelope
    }
    return envelope
  }
}
