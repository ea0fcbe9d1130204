import type { AbortOptions, KeyId, Random } from '@vault/core'
import { toHex } from '@vault/core'
import type { Receiving } from '@vault/migration'
import type { IntakeBatch, Received } from '@vault/soup'
import { refusal } from './refusal.ts'
import type { StoredBlocks } from './stored-blocks.ts'

/** A target that a client has opened for writing. */
interface Open {
  readonly owner: KeyId
  readonly vault: string
  readonly receiving: Omit<Receiving, 'finish'> & Partial<Pick<Receiving, 'finish'>>
  /** For what leave is needed with each batch, beside `write`. */
  readonly needs?: 'receive-part'
  /** Answers by the names of their requests: one that is repeated, because its answer was lost, is not done again. */
  readonly answers: Map<string, Promise<Received>>
}

// A client waits for the answer to a batch before it sends the next one.
const ANSWERS = 64

/** Targets that are open for writing. They end with the server: a client then asks again where it is. */
export class Sessions {
  readonly #most: number
  readonly #random: Random
  readonly #open = new Map<string, Open>()

  constructor(most: number, random: Random) {
    this.#most = most
    this.#random = random
  }

  /** Keeps an open target under a name that nobody guesses. The oldest one of the same key makes room. */
  add(open: Omit<Open, 'answers'>): string {
    const { owner } = open
    const theirs = [...this.#open].filter(([, other]) => other.owner === owner)
    for (const [name] of theirs.slice(0, Math.max(0, theirs.length - this.#most + 1))) this.#open.delete(name)
    const name = toHex(this.#random(16))
    this.#open.set(name, { ...open, answers: new Map() })
    return name
  }

  /** Throws `HTTP_SESSION`. */
  use(name: string, { owner, vault }: Pick<Open, 'owner' | 'vault'>): Open {
    const open = this.#open.get(name)
    if (open?.owner === owner && open.vault === vault) return open
    throw refusal(
      'HTTP_SESSION',
      'The place is not open for this migration any more. Run again: what was not yet under charge is sent again.',
    )
  }

  /** Takes a batch, once for each name of a request. */
  async take(
    open: Open,
    { request, batch }: { readonly request: string; readonly batch: IntakeBatch },
    stored: StoredBlocks,
    options: AbortOptions,
  ): Promise<Received> {
    const known = open.answers.get(request)
    if (known !== undefined) return await known
    const answer = (async () => {
      await stored.check(batch, options)
      const received = await open.receiving.intake.receive(batch, options)
      stored.forget(batch)
      return received
    })()
    open.answers.set(request, answer)
    for (const name of open.answers.keys()) {
      if (open.answers.size <= ANSWERS) break
      open.answers.delete(name)
    }
    return await answer
  }
}
