/** Changes to a map that can still be dropped: reads see them, the map itself does not until they are applied. */
export class Draft<Key, Value> {
  readonly #base: Map<Key, Value>
  readonly #changed = new Map<Key, Value | undefined>()

  constructor(base: Map<Key, Value>) {
    this.#base = base
  }

  get(key: Key): Value | undefined {
    return this.#changed.has(key) ? this.#changed.get(key) : this.#base.get(key)
  }

  /** Sets the value, `undefined` takes it away. */
  set(key: Key, value: Value | undefined): void {
    this.#changed.set(key, value)
  }

  /** What differs from the map: what was there and what will be, in the order in which the keys were first changed. */
  *differences(): Generator<{ key: Key; before: Value | undefined; after: Value | undefined }> {
    for (const [key, after] of this.#changed) {
      const before = this.#base.get(key)
      if (before !== after) yield { key, before, after }
    }
  }

  apply(): void {
    for (const [key, value] of this.#changed) {
      if (value === undefined) this.#base.delete(key)
      else this.#base.set(key, value)
    }
  }
}
