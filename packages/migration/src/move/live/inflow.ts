import type { FullRun } from '../../rounds.ts'
import type { Work } from '../work.ts'
import type { LiveRound } from './converge.ts'

interface Mark {
  readonly at: number
  /** The latest change of the source. */
  readonly latest: number
  /** Objects and entries that it has. */
  readonly held: number
  /** Objects and entries that were sent. */
  readonly sent: number
}

/** How much comes to a source beside what is sent, from a moment on. What is only replaced is not seen: a round shows that when it ends. */
export class Inflow {
  readonly #work: Work
  readonly #run: FullRun
  readonly #from: Mark

  private constructor(work: Work, run: FullRun, from: Mark) {
    this.#work = work
    this.#run = run
    this.#from = from
  }

  static async begin(work: Work, run: FullRun): Promise<Inflow> {
    return new Inflow(work, run, await markOf(work, run))
  }

  /**
   * As of a round that ended now: so many changes as the objects and entries that were sent are worth, and so many that came. Where nothing was sent,
   * as while roots are compared, that shows nothing.
   */
  async look(): Promise<Pick<LiveRound, 'ms' | 'changes' | 'changesLeft'>> {
    const { at, latest, held, sent } = await markOf(this.#work, this.#run)
    const from = this.#from
    const [changesLeft, came, went] = [latest - from.latest, held - from.held, sent - from.sent]
    const changes = came > 0 && went > 0 ? (changesLeft * went) / came : Number.POSITIVE_INFINITY
    return { ms: at - from.at, changes, changesLeft }
  }
}

async function markOf({ parts, elapsed, options }: Work, { ledger }: FullRun): Promise<Mark> {
  const { soup } = parts.source
  const { objects, entries } = await soup.view(async ({ counts }) => counts, options)
  const { latest } = await soup.feed(options)
  return { at: elapsed(), latest, held: objects + entries, sent: ledger.items }
}
