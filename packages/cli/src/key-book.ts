import type { KeyId, Threshold } from '@vault/core'
import type { NamedKeys, parsePublicKey } from '@vault/embedded'
import { UsageError } from './exit-code.ts'
import { parseCount } from './parse-count.ts'

/** Keys by the names under which a keystore has them, and what they are to be called. */
export class KeyBook {
  /** What the keys that were named are called. */
  readonly names: Map<KeyId, string> = new Map()
  readonly #keys: ReadonlyMap<string, KeyId>
  readonly #parse: typeof parsePublicKey

  private constructor(keys: ReadonlyMap<string, KeyId>, parse: typeof parsePublicKey) {
    this.#keys = keys
    this.#parse = parse
    for (const [name, key] of keys) if (!this.names.has(key)) this.names.set(key, name)
  }

  static async of(keystore: NamedKeys): Promise<KeyBook> {
    const { parsePublicKey: parse } = await import('@vault/embedded')
    return new KeyBook(new Map((await keystore.list()).map(({ name, key }) => [name, key])), parse)
  }

  /** The key of this name, or in this text. Throws a `UsageError`, `KEY_TEXT_INVALID`. */
  key(text: string): KeyId {
    const known = this.#keys.get(text)
    if (known !== undefined) return known
    if (text.includes(':')) return this.#parse(text)
    throw new UsageError(`Your keystore has no key ${JSON.stringify(text)}: "vaultctl keys trust" gives one a name.`)
  }

  /** `2:ana,ben,eva` is any two of these three; without a number all of them are needed. */
  threshold(text: string): Threshold {
    const [, count, list = ''] = /^(?:(\d+):)?(.*)$/.exec(text) ?? []
    const keys = list.split(',').map((each) => this.key(each.trim()))
    const threshold = count === undefined ? keys.length : parseCount('a threshold', count)
    if (threshold > keys.length) throw new UsageError(`${text} asks for more keys than it names.`)
    return { keys, threshold }
  }

  /** Calls those of the keys of a role that have no name by the role. */
  callRole(role: string, keys: readonly KeyId[]): void {
    const taken = new Set([...this.names.values(), ...this.#keys.keys()])
    for (const key of keys) {
      if (this.names.has(key)) continue
      let n = 1
      while (taken.has(`${role}-${n}`)) n++
      taken.add(`${role}-${n}`)
      this.names.set(key, `${role}-${n}`)
    }
  }
}
