/** Who may revoke something, by his text. */
export type Upstream = Pick<Above, 'has'>

/**
 * Those from whom somebody has what he holds: they may revoke what follows. Their texts are gathered when somebody asks for them, which is
 * where something was revoked: in a long chain everybody is above all who follow, and writing that down for each is the square of it.
 */
export class Above {
  readonly #own: readonly string[]
  readonly #over: readonly Above[]
  #texts: ReadonlySet<string> | undefined

  constructor(own: readonly string[], over: readonly Above[] = []) {
    this.#own = own
    this.#over = over
  }

  get texts(): ReadonlySet<string> {
    this.#texts ??= this.#gathered()
    return this.#texts
  }

  has(text: string): boolean {
    return this.texts.has(text)
  }

  #gathered(): ReadonlySet<string> {
    const texts = new Set<string>()
    const seen = new Set<Above>()
    const waiting: Above[] = [this]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (seen.has(next)) continue
      seen.add(next)
      for (const text of next.#texts ?? next.#own) texts.add(text)
      if (next.#texts === undefined) waiting.push(...next.#over)
    }
    return texts
  }
}
