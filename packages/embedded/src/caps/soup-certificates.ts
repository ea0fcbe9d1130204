import type { AbortOptions, ContentId, Envelope } from '@vault/core'
import { decodeEntry, type Entry, entryKey, type SoupReader } from '@vault/soup'
import type { CertificateIndex } from '@vault/spki-caps'
import { CAP_PREFIX, keptCap, subjectPrefix } from './cap-entry.ts'

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
        const envelope = this.#opened(decodeEntry(bytes))
        if (envelope !== undefined) yield envelope
      }
    }
  }

  /** All of them. */
  async *all(options: AbortOptions = {}): AsyncGenerator<Envelope> {
    for await (const page of this.#soup.query({ prefix: CAP_PREFIX }, options)) {
      for (const entry of page) {
        const envelope = this.#opened(entry)
        if (envelope !== undefined) yield envelope
      }
    }
  }

  /** The one with this id. */
  async read(id: string, options: AbortOptions = {}): Promise<Envelope | undefined> {
    const entry = await this.#soup.entry(`${CAP_PREFIX}${id}`, options)
    return entry && this.#opened(entry)
  }

  /** Whether a certificate that was read here was in the vault before this key event. */
  isBefore(certificate: ContentId, seq: number): boolean {
    const anchor = this.#anchors.get(certificate)
    return anchor !== undefined && anchor < seq
  }

  /** The certificate in an entry. Where there is none nothing is granted, and it keeps nobody from what others grant. */
  #opened(entry: Entry): Envelope | undefined {
    const kept = keptCap(entry)
    if (kept === undefined) return undefined
    const { id, envelope, anchor } = kept
    this.#anchors.set(id, anchor)
    return envelope
  }
}
