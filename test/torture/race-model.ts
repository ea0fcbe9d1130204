/** Nothing stands under a name. */
export const NOTHING = '-'

/** What is known of one name. */
interface Known {
  /** Of the acknowledged changes the last one, by the vault's own order. */
  last: { readonly content: string; readonly sequence: number }
  /** How often what was begun and neither acknowledged nor refused: it may have happened, and of a shared name also later than the last. */
  readonly open: Map<string, number>
  /** Whatever was ever begun. */
  readonly begun: Set<string>
  readonly read: Set<string>
  /** Of a counter: the numbers that somebody was told to have set. */
  readonly numbers: Set<number>
}

/**
 * What a vault may hold that several processes change at once, from what they say to begin and what was acknowledged:
 * names that one process has to itself, `shared-` names that all of them write, and counters, `counter-` names that are
 * replaced only from what they were seen to be.
 */
export class RaceModel {
  readonly wrong: string[] = []
  readonly #names = new Map<string, Known>()

  begin(name: string, content: string): void {
    const known = this.#of(name)
    known.open.set(content, (known.open.get(content) ?? 0) + 1)
    known.begun.add(content)
  }

  done(name: string, content: string, sequence: number): void {
    const known = this.#of(name)
    // Who writes alone has begun nothing else that could still happen.
    if (isOwn(name)) known.open.clear()
    else settle(known, content)
    if (sequence >= known.last.sequence) known.last = { content, sequence }
    if (!isCounter(name)) return
    const number = numberOf(content)
    if (known.numbers.has(number)) this.wrong.push(`${name} was set to ${number} twice: one of the two is lost`)
    known.numbers.add(number)
  }

  refused(name: string, content: string): void {
    settle(this.#of(name), content)
  }

  read(name: string, content: string): void {
    const known = this.#of(name)
    if (isOwn(name)) this.#check(name, content, 'was read as')
    // Others may have begun what their lines have not told yet.
    else known.read.add(content)
  }

  /** The names, for a look at what they stand for in the end. */
  names(): Iterable<string> {
    return this.#names.keys()
  }

  /** Looks at what a name stands for when all processes have ended. */
  end(name: string, found: string): void {
    const { read, begun, last } = this.#of(name)
    this.#check(name, found, 'is')
    for (const content of read) {
      if (content !== NOTHING && !begun.has(content))
        this.wrong.push(`${name} was read as ${content}, which nobody wrote`)
    }
    if (isCounter(name) && numberOf(found) < numberOf(last.content)) {
      this.wrong.push(`${name} went back from ${last.content} to ${found}`)
    }
  }

  #check(name: string, found: string, verb: string): void {
    const { last, open } = this.#of(name)
    if (found === last.content || open.has(found)) return
    this.wrong.push(`${name} ${verb} ${found}, and may be ${[last.content, ...open.keys()].join(' or ')}`)
  }

  #of(name: string): Known {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    const last = { content: NOTHING, sequence: 0 }
    const made: Known = { last, open: new Map(), begun: new Set(), read: new Set(), numbers: new Set() }
    this.#names.set(name, made)
    return made
  }
}

/** The number that the content of a counter says, 0 where there is none. */
export function numberOf(content: string): number {
  return content === NOTHING ? 0 : Number(content.split('.')[0])
}

/** Of two that began the same, one has an answer. */
function settle({ open }: Known, content: string): void {
  const left = (open.get(content) ?? 0) - 1
  if (left > 0) open.set(content, left)
  else open.delete(content)
}

function isCounter(name: string): boolean {
  return name.startsWith('counter-')
}

function isOwn(name: string): boolean {
  return !isCounter(name) && !name.startsWith('shared-')
}
