import type { GrantPath } from './grant-steps.ts'
import { covers } from './meet.ts'
import { principalText } from './principal.ts'

/** The ways by which everybody came to what they hold, without those that add nothing. */
export class KeptPaths {
  readonly #byHolder = new Map<string, GrantPath[]>()

  /** Keeps a path unless all that comes of it comes of one that is kept. */
  keep(path: GrantPath): boolean {
    const shares = path.shares.map(({ threshold, member, by }) => `${threshold} ${member} ${by}`)
    const holder = [principalText(path.held.subject), ...shares].join(' ')
    const others = this.#byHolder.get(holder)
    if (others === undefined) this.#byHolder.set(holder, [path])
    else if (others.some((other) => isMore(other, path))) return false
    else others.push(path)
    return true
  }

  all(): readonly GrantPath[] {
    return [...this.#byHolder.values()].flat()
  }
}

function isMore({ held: a, assumed }: GrantPath, { held: b, assumed: more }: GrantPath): boolean {
  return (
    assumed.isSubsetOf(more) &&
    a.left >= b.left &&
    a.expires >= b.expires &&
    // Who is above may revoke what follows.
    a.upstream.texts.isSubsetOf(b.upstream.texts) &&
    covers(a.tag, b.tag)
  )
}
