import type { GrantPath } from './grant-steps.ts'
import { covers } from './meet.ts'
import { principalText } from './principal.ts'
import { TagIndex } from './tag-index.ts'

/** The ways by which everybody came to what they hold, without those that add nothing. */
export class KeptPaths {
  readonly #byHolder = new Map<string, { readonly paths: GrantPath[]; readonly byTag: TagIndex<GrantPath> }>()
  readonly #revokers: ReadonlySet<string> | undefined

  /** `revokers`: who has revoked anything that may follow. Who has not may stand above. Default: anybody may have. */
  constructor(revokers?: ReadonlySet<string>) {
    this.#revokers = revokers
  }

  /** Keeps a path unless all that comes of it comes of one that is kept. */
  keep(path: GrantPath): boolean {
    const shares = path.shares.map(({ threshold, member, by }) => `${threshold} ${member} ${by}`)
    const holder = [principalText(path.held.subject), ...shares].join(' ')
    const own = this.#byHolder.get(holder) ?? { paths: [], byTag: new TagIndex() }
    const { tag } = path.held
    if (own.byTag.someOver(tag, (other) => this.#isMore(other, path))) return false
    own.byTag.add(tag, path)
    own.paths.push(path)
    this.#byHolder.set(holder, own)
    return true
  }

  all(): readonly GrantPath[] {
    return [...this.#byHolder.values()].flatMap(({ paths }) => paths)
  }

  #isMore({ held: a, assumed, steps }: GrantPath, { held: b, assumed: more, steps: fewer }: GrantPath): boolean {
    return (
      steps >= fewer &&
      a.left >= b.left &&
      a.expires >= b.expires &&
      assumed.isSubsetOf(more) &&
      // Who is above may revoke what follows.
      this.#isUnder(a, b) &&
      covers(a.tag, b.tag)
    )
  }

  /** Whether whoever has revoked anything and is above the one is above the other as well. */
  #isUnder({ upstream: a }: GrantPath['held'], { upstream: b }: GrantPath['held']): boolean {
    const revokers = this.#revokers
    if (revokers?.size === 0) return true
    const over = revokers === undefined ? a.texts : a.texts.intersection(revokers)
    return over.isSubsetOf(b.texts)
  }
}
