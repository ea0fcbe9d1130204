import type { ContentId } from '@vault/core'
import { copyBytes, equalBytes, isContentId, objectKey, toHex } from '@vault/core'
import { decodeEntry, entryKey, entryValue, versionId } from '../entry.ts'
import type { EntryTransition } from '../entry-change.ts'
import type { Committed, FeedItem, Member } from '../soup.ts'
import { soupError } from '../soup-error.ts'
import { Draft } from './draft.ts'
import type { Displaced, EntryRow, MemberRow, VaultState, VersionRow } from './vault-state.ts'

/** A change being made: nothing of the vault is touched before `finish`, so any refusal leaves it as it was. */
export class StateDraft {
  readonly #state: VaultState
  readonly #members: Draft<ContentId, MemberRow>
  readonly #entries: Draft<string, EntryRow>
  readonly #versions: Draft<ContentId, VersionRow>
  readonly #references: Draft<ContentId, number>

  constructor(state: VaultState) {
    this.#state = state
    this.#members = new Draft(state.members)
    this.#entries = new Draft(state.entries)
    this.#versions = new Draft(state.versions)
    this.#references = new Draft(state.references)
  }

  addMember(member: Member): void {
    const { id, size, links } = checkedMember(member)
    if (this.#members.get(id) !== undefined) return
    const key = objectKey(id)
    this.#members.set(id, { id, size, links, key, hex: toHex(key) })
    for (const link of links) this.#refer(link, 1)
  }

  removeMember(id: ContentId): MemberRow | undefined {
    const member = this.#members.get(id)
    if (member === undefined) return undefined
    this.#members.set(id, undefined)
    for (const link of member.links) this.#refer(link, -1)
    return member
  }

  /**
   * Lets go of what nothing refers to, and then of what only that linked to, but never of what is to stay. Not recursive:
   * links may be a long chain.
   */
  release(ids: readonly ContentId[], staying: ReadonlySet<ContentId>): void {
    const queue = [...ids]
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      if (staying.has(id) || (this.#references.get(id) ?? 0) > 0) continue
      for (const link of this.removeMember(id)?.links ?? []) queue.push(link)
    }
  }

  applyEntry({ key, before, after, keep }: EntryTransition): void {
    if (before !== undefined && keep !== undefined) {
      // The reference that the entry held goes on to the version, so that what it named can still be restored.
      if (this.#versions.get(keep) === undefined) {
        this.#versions.set(keep, { bytes: copyBytes(before.bytes), object: before.entry.object })
      } else this.#refer(before.entry.object, -1)
    } else this.#refer(before?.entry.object, -1)
    this.#refer(after?.entry.object, 1)
    this.#entries.set(key, after === undefined ? undefined : entryRow(key, after.bytes, after.entry.object))
  }

  /** Puts exactly these bytes, whatever was there. */
  putEntry(bytes: Uint8Array): void {
    const { key, object } = decodeEntry(bytes)
    const before = this.#entries.get(key)
    if (before !== undefined && equalBytes(before.bytes, bytes)) return
    this.#refer(before?.object, -1)
    this.#refer(object, 1)
    this.#entries.set(key, entryRow(key, bytes, object))
  }

  removeEntry(key: string): void {
    this.#refer(this.#entries.get(key)?.object, -1)
    this.#entries.set(key, undefined)
  }

  addVersion(bytes: Uint8Array): void {
    const { object } = decodeEntry(bytes)
    const id = versionId(bytes)
    if (this.#versions.get(id) !== undefined) return
    this.#versions.set(id, { bytes: copyBytes(bytes), object })
    this.#refer(object, 1)
  }

  removeVersion(id: ContentId): void {
    this.#refer(this.#versions.get(id)?.object, -1)
    this.#versions.set(id, undefined)
  }

  /** Puts a member back as it was. */
  restoreMember(id: ContentId, was: MemberRow | undefined): void {
    this.removeMember(id)
    if (was !== undefined) this.addMember(was)
  }

  /** Remembers the rows that this change is the first to touch. */
  displace({ members, entries, versions }: Displaced): void {
    remember(members, this.#members)
    remember(entries, this.#entries)
    remember(versions, this.#versions)
  }

  /** Refuses with `SOUP_NOT_PRESENT` a change after which something new refers to what is not under charge. */
  requireClosed(): void {
    const named = new Set<ContentId>()
    for (const { after } of this.#entries.differences()) if (after?.object !== undefined) named.add(after.object)
    for (const { after } of this.#members.differences()) for (const link of after?.links ?? []) named.add(link)
    const missing = [...named].filter((id) => this.#members.get(id) === undefined)
    if (missing.length > 0) throw notPresent(missing)
  }

  /** Applies everything at once. A change of nothing takes no number. */
  finish(): Committed {
    const sequence = this.#state.tenure.sequence + 1
    const items = this.#feedItems(sequence)
    this.#state.account(this.#members, this.#entries)
    for (const draft of [this.#members, this.#entries, this.#versions, this.#references]) draft.apply()
    if (items.length > 0) {
      this.#state.tenure = { ...this.#state.tenure, sequence }
      this.#state.feed.append(items)
    }
    const count = (type: FeedItem['type']) => items.filter((item) => item.type === type).length
    return {
      sequence: this.#state.tenure.sequence,
      added: count('object-added'),
      released: count('object-removed'),
    }
  }

  /** Objects come before what may name them and go after it, so that a follower never has a name for nothing. */
  #feedItems(sequence: number): readonly FeedItem[] {
    const objects = [...this.#members.differences()]
    const entries = [...this.#entries.differences()]
    const item = (type: FeedItem['type'], subject: string): FeedItem => ({ sequence, type, subject })
    return [
      ...objects.filter(({ before }) => before === undefined).map(({ key }) => item('object-added', key)),
      ...entries.filter(({ after }) => after !== undefined).map(({ key }) => item('entry-put', key)),
      ...entries.filter(({ after }) => after === undefined).map(({ key }) => item('entry-removed', key)),
      ...objects.filter(({ after }) => after === undefined).map(({ key }) => item('object-removed', key)),
    ]
  }

  #refer(id: ContentId | undefined, by: 1 | -1): void {
    if (id === undefined) return
    const count = (this.#references.get(id) ?? 0) + by
    this.#references.set(id, count === 0 ? undefined : count)
  }
}

function remember<Key, Row>(displaced: Map<Key, Row | undefined>, draft: Draft<Key, Row>): void {
  for (const { key, before } of draft.differences()) if (!displaced.has(key)) displaced.set(key, before)
}

export function notPresent(ids: readonly ContentId[]): Error {
  return soupError(
    'SOUP_NOT_PRESENT',
    `${ids.length} objects that the change relies on are not under charge, the first is ${ids[0]}. Put their bytes and add them.`,
    { ids },
  )
}

function checkedMember({ id, size, links }: Member): Member {
  if (!isContentId(id)) throw soupError('SOUP_INVALID', 'An object to add has no content id.')
  if (!Number.isSafeInteger(size) || size < 0)
    throw soupError('SOUP_INVALID', `The size of ${id} is no count of bytes.`)
  if (!links.every(isContentId)) throw soupError('SOUP_INVALID', `The object ${id} links to what is no content id.`)
  return { id, size, links: [...links] }
}

function entryRow(name: string, bytes: Uint8Array, object: ContentId | undefined): EntryRow {
  const key = entryKey(name)
  return { key, hex: toHex(key), value: entryValue(bytes), bytes: copyBytes(bytes), name, object }
}
