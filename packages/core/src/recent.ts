/** Things by their names, of which only those are kept that were used last. */
export class Recent<Value> {
  readonly #most: number
  readonly #values = new Map<string, Value>()

  constructor(most: number) {
    this.#most = most
  }

  /** What is looked for is used. */
  get(name: string): Value | undefined {
    const value = this.#values.get(name)
    if (value !== undefined) {
      this.#values.delete(name)
      this.#values.set(name, value)
    }
    return value
  }

  /** Keeps it as what was used last, and gives those that had to go for it. */
  keep(name: string, value: Value): readonly Value[] {
    this.#values.delete(name)
    this.#values.set(name, value)
    const gone: Value[] = []
    for (const [oldest, other] of this.#values) {
      if (this.#values.size <= this.#most) break
      this.#values.delete(oldest)
      gone.push(other)
    }
    return gone
  }

  delete(name: string): void {
    this.#values.delete(name)
  }

  /** All that are kept, which then are none. */
  clear(): readonly Value[] {
    const all = [...this.#values.values()]
    this.#values.clear()
    return all
  }
}
