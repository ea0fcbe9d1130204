import type { AuditActor } from '@vault/audit-chain'
import type { Block, BulkCas } from '@vault/cas'
import { type AbortOptions, type Clock, isVaultError, type Random, type VaultId } from '@vault/core'
import type { Change, Committed, Soup } from '@vault/soup'
import { storeAndCommit } from '@vault/soup'
import type { Act } from './act.ts'
import { actEvent, changeEvent } from './change-event.ts'
import { changeLists } from './change-list.ts'
import type { Waited, WriterGate } from './writer-gate.ts'

/** A change without what the vault itself adds to it. */
export type VaultChange = Omit<Change, 'epoch'>

/** Under what a change is made: the epoch that was read, and who was granted it. */
export interface Leave {
  readonly epoch: number
  readonly actor: AuditActor
  /** For how long it was waited for: as much less does the next change wait. */
  readonly waited: Waited
}

interface RecorderParts {
  readonly vault: VaultId
  readonly objects: BulkCas
  readonly soup: Pick<Soup, 'commit' | 'holds'>
  readonly gate: WriterGate
  readonly clock: Clock
  readonly random: Random
  /** Called after each change: something waits for the log. */
  readonly committed: () => void
}

/** Makes changes together with their entries in the audit log: no change is without one, and none is in it that did not happen. */
export class Recorder {
  readonly #parts: RecorderParts

  constructor(parts: RecorderParts) {
    this.#parts = parts
  }

  /**
   * Waits where a move of the vault is under way, as {@link WriterGate} says. Throws what that and `Soup.commit` throw, and
   * `AUDIT_ENTRY_INVALID` for what no entry can say.
   */
  async commit(
    change: VaultChange,
    { epoch, actor, waited }: Leave,
    act: Act,
    options: AbortOptions,
  ): Promise<Committed> {
    const { vault, clock, random, committed } = this.#parts
    const lists = namesSeveral(change) ? changeLists(change) : []
    const event = changeEvent({ vault, actor, clock, random }, act, change, lists)
    // Where a segment of the change itself is condemned, only whoever stored its bytes can store them again: that fails each time.
    const result = await storeAndCommit(async () => {
      const segments = await this.#store(lists, options)
      return await this.#passed(
        {
          ...change,
          epoch,
          events: [event, ...(change.events ?? [])],
          hold: [...(change.hold ?? []), ...lists.map(({ id, bytes }) => ({ id, size: bytes.length }))],
          expect: { ...change.expect, segments: [...(change.expect?.segments ?? []), ...segments] },
        },
        waited,
        options,
      )
    })
    waited.ms = 0
    committed()
    return result
  }

  /** Makes an entry of what changed nothing that the vault holds. */
  async note(
    act: Act,
    parameters: Readonly<Record<string, unknown>>,
    { epoch, actor, waited }: Leave,
    options: AbortOptions,
  ): Promise<void> {
    const { vault, clock, random, committed } = this.#parts
    await this.#passed({ epoch, events: [actEvent({ vault, actor, clock, random }, act, parameters)] }, waited, options)
    waited.ms = 0
    committed()
  }

  /** Commits when the vault is active. One that was refused for that has changed nothing, so it is made again when it is. */
  async #passed(change: Change, waited: Waited, options: AbortOptions): Promise<Committed> {
    const { soup, gate } = this.#parts
    await gate.slow(waited, options)
    while (true) {
      try {
        return await soup.commit(change, options)
      } catch (error) {
        if (!isVaultError(error, 'SOUP_NOT_ACTIVE')) throw error
        await gate.open(waited, options)
      }
    }
  }

  /** Writes the lists that are not held yet: what is put again, in the same order, has the same. Returns their segments. */
  async #store(lists: readonly Block[], options: AbortOptions): Promise<readonly string[]> {
    if (lists.length === 0) return []
    const { objects, soup } = this.#parts
    const ids = lists.map(({ id }) => id)
    const [held, there] = [await soup.holds(ids, options), await objects.hasMany(ids, options)]
    const missing = lists.filter((_, i) => !(held[i] && there[i]))
    if (missing.length === 0) return []
    const segments: string[] = []
    for await (const { segment } of objects.putMany([missing], options)) segments.push(segment)
    return segments.filter((segment) => segment !== '')
  }
}

/** Whether a change names more than its entry says of it: one name, and one object. */
function namesSeveral({ refs = {}, entries = {}, objects = {} }: VaultChange): boolean {
  const names = Object.keys(refs).length + (entries.put?.length ?? 0) + (entries.remove?.length ?? 0)
  return names > 1 || (objects.add?.length ?? 0) > 1 || (objects.release?.length ?? 0) > 1
}
