import type { ContentId } from '@vault/core'
import { compareBytes, idBytes, objectKey } from '@vault/core'
import type { KeyedMember, Member } from '@vault/soup'
import type { Connection } from './connection.ts'
import type { Displacement } from './displaced-rows.ts'
import { isNamed } from './entry-rows.ts'
import type { ItemPacker } from './feed-items.ts'
import type { MemberRow } from './member-rows.ts'
import { deleteMember, hasParent, insertMember, memberByKey, memberRow } from './member-rows.ts'
import { TouchedRows } from './touched.ts'
import { isNamedByVersion } from './version-rows.ts'

/** What a change does to the objects under charge, inside a transaction. */
export class MemberChanges {
  readonly #db: Connection
  readonly #vault: number
  readonly #sequence: number
  readonly #touched = new TouchedRows<ContentId, KeyedMember>()
  readonly #displaced: Displacement | undefined
  #objects = 0
  #bytes = 0

  /** `displaced`: remembers rows as they were. */
  constructor(db: Connection, vault: number, sequence: number, displaced?: Displacement) {
    this.#db = db
    this.#vault = vault
    this.#sequence = sequence
    this.#displaced = displaced
  }

  /** How many more objects and bytes are under charge than before. */
  get difference(): { readonly objects: number; readonly bytes: number } {
    return { objects: this.#objects, bytes: this.#bytes }
  }

  /** In the order of their keys, in which they lie in the file: measured twice as fast as in random order. */
  add(members: readonly MemberRow[]): void {
    for (const member of members.toSorted((a, b) => compareBytes(a.key, b.key))) {
      if (!insertMember(this.#db, this.#vault, member, this.#sequence)) continue
      this.#displaced?.member(member.key, undefined)
      this.#touched.wrote(member.id, member, false)
      this.#objects++
      this.#bytes += member.size
    }
  }

  /** Takes a member away; `undefined` where there is none. */
  remove(id: ContentId): KeyedMember | undefined {
    const member = memberByKey(this.#db, this.#vault, objectKey(id))
    if (member?.id !== id) return undefined
    this.#displaced?.member(member.key, member)
    deleteMember(this.#db, this.#vault, member)
    this.#touched.removed(id, member)
    this.#objects--
    this.#bytes -= member.size
    return member
  }

  /** Puts back what was under a key. */
  restore(key: Uint8Array, was: Member | undefined): void {
    const present = memberByKey(this.#db, this.#vault, key)
    if (present !== undefined) this.remove(present.id)
    if (was !== undefined) this.add([memberRow(was)])
  }

  /**
   * Lets go of what nothing refers to, and then of what only that linked to, but never of what is to stay. Not recursive:
   * links may be a long chain.
   */
  release(ids: readonly ContentId[], staying: ReadonlySet<ContentId>): void {
    const queue = [...ids]
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      if (staying.has(id) || this.#isReferredTo(objectKey(id))) continue
      for (const link of this.remove(id)?.links ?? []) queue.push(link)
    }
  }

  /** Those of the ids that are not under charge. */
  missing(ids: Iterable<ContentId>): readonly ContentId[] {
    const missing = new Set<ContentId>()
    for (const id of ids) {
      if (!this.#touched.exists(id) && memberByKey(this.#db, this.#vault, objectKey(id))?.id !== id) missing.add(id)
    }
    return [...missing]
  }

  /** What the members that were added link to. */
  *newLinks(): Generator<ContentId> {
    for (const { links } of this.#touched.present()) yield* links
  }

  packAdded(items: ItemPacker): void {
    for (const { key, id } of this.#touched.fresh()) items.object('object-added', key, idBytes(id))
  }

  packRemoved(items: ItemPacker): void {
    for (const { key, id } of this.#touched.gone()) items.object('object-removed', key, idBytes(id))
  }

  #isReferredTo(key: Uint8Array): boolean {
    const [db, vault] = [this.#db, this.#vault]
    return hasParent(db, vault, key) || isNamed(db, vault, key) || isNamedByVersion(db, vault, key)
  }
}
