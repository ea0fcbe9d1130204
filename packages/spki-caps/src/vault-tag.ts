import type { ContentId } from '@vault/core'
import { isContentId } from '@vault/core'
import { invalidTag } from './error.ts'
import { anyOf } from './meet.ts'
import { parseTag } from './parse-tag.ts'
import type { Tag } from './tag.ts'
import { ANY, isList, isPath, isSet } from './tag.ts'

/** The form of what is granted on a vault: `['vault', actions, object, …limits]`. */
export interface VaultGrant {
  /** Verbs, as in `read`, `write`, `migrate`; `'*'`, given alone, for all. */
  readonly actions: readonly string[] | typeof ANY
  /** The vault, or another object. */
  readonly object: ContentId
  /** Only what lies at or below this path in it. */
  readonly path?: readonly string[]
  /** Further positions, each a restriction: `['size', { range: { order: 'numeric', le: '1000000' } }]`. */
  readonly limits?: readonly Tag[]
}

/** Throws `CAPS_TAG_INVALID` where there is no action, or `*` among several. */
export function vaultTag({ actions, object, path = [], limits = [] }: VaultGrant): Tag {
  if (actions !== ANY && actions.includes(ANY)) throw invalidTag('* stands alone, for every action')
  const verbs = actions === ANY ? ANY : anyOf(actions)
  return parseTag(['vault', verbs, { path: [object, ...path] }, ...limits])
}

/** What is asked by one who wants to do this to that. */
export function askedTag(action: string, object: Tag, args: readonly Tag[] = []): Tag {
  return ['vault', action, object, ...args]
}

/** What a tag of that form grants; `undefined` for one of another form, which no vault makes. */
export function vaultGrantOf(tag: Tag): Required<VaultGrant> | undefined {
  if (!isList(tag)) return undefined
  const [head, verbs, place, ...limits] = tag
  if (head !== 'vault' || verbs === undefined || place === undefined || typeof place === 'string' || !isPath(place))
    return undefined
  const [object, ...path] = place.path
  const actions = verbs === ANY ? ANY : isSet(verbs) ? verbs.set : [verbs]
  const isNamed = actions === ANY || actions.every((action) => typeof action === 'string')
  if (object === undefined || !isContentId(object) || !isNamed) return undefined
  return { actions: actions as VaultGrant['actions'], object, path, limits }
}
