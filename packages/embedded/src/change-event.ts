import { type AuditActor, encodeEvent } from '@vault/audit-chain'
import type { Block } from '@vault/cas'
import { type Bytes, type Clock, type ContentId, link, type Random, toHex, type VaultId } from '@vault/core'
import type { Change } from '@vault/soup'
import type { Act } from './act.ts'

/** Who acts, and what an event takes from outside. */
export interface EventParts {
  readonly vault: VaultId
  readonly actor: AuditActor
  readonly clock: Clock
  readonly random: Random
}

type Content = Pick<Change, 'refs' | 'entries' | 'objects'>

/** The audit event of an act, in canonical bytes. Throws `AUDIT_ENTRY_INVALID`. */
export function actEvent(
  { vault, actor, clock, random }: EventParts,
  { verb, object = `vault:${vault}`, motivation, key = toHex(random(16)) }: Act,
  parameters: Readonly<Record<string, unknown>>,
): Bytes {
  return encodeEvent({
    time: Math.floor(clock().getTime() / 1000),
    actor,
    action: { verb, object, parameters },
    ...(motivation === undefined ? {} : { context: { motivation } }),
    key,
  })
}

/** The audit event of a change: what it asks for, in numbers, and the blocks that list it. Throws `AUDIT_ENTRY_INVALID`. */
export function changeEvent(parts: EventParts, act: Act, change: Content, lists: readonly Block[]): Bytes {
  const { refs = {}, entries = {}, objects = {} } = change
  const { put = [], remove = [] } = entries
  const { add = [], release = [] } = objects
  const content = contentOf(change)
  const counts = {
    objects: add.length,
    bytes: add.reduce((sum, { size }) => sum + size, 0),
    entries: put.length,
    removed: remove.length,
    released: release.length,
    refs: Object.keys(refs).length,
  }
  const parameters = {
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    ...(content === undefined ? {} : { content: link(content) }),
    ...(lists.length === 0 ? {} : { lists: lists.map(({ id }) => link(id)) }),
  }
  return actEvent(parts, { ...act, object: act.object ?? objectOf(parts.vault, change) }, parameters)
}

/** The object that a change of one name is about: the one that the name gets, or the one that goes with it. */
function contentOf({ entries = {}, objects = {} }: Content): ContentId | undefined {
  const { put = [], remove = [] } = entries
  if (put.length + remove.length !== 1) return undefined
  return put.length === 1 ? put[0]?.object : objects.release?.[0]
}

/**
 * What a change is done to: its one entry, as `path:notes.txt`; its one object, where it names none, as `obj:<id>`; the folder that
 * all its names share, as `path:photos/`; otherwise the vault, as `vault:<id>`.
 */
function objectOf(vault: VaultId, { refs = {}, entries = {}, objects = {} }: Content): string {
  const keys = [...(entries.put ?? []).map(({ key }) => key), ...(entries.remove ?? [])]
  const names = [...keys, ...Object.keys(refs).map((name) => `ref:${name}`)]
  const [first] = names
  if (first === undefined) {
    const [object, ...others] = objects.add ?? []
    return object !== undefined && others.length === 0 ? `obj:${object.id}` : `vault:${vault}`
  }
  let shared = first
  for (const name of names) {
    if (name === shared) continue
    while (shared !== '' && !name.startsWith(shared)) shared = folderOf(shared)
  }
  return shared === '' ? `vault:${vault}` : shared
}

/** The folder above a name or folder, with its slash; empty where there is none. */
function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/', name.length - 2) + 1)
}
