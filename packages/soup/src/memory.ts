import type { ContentId } from '@vault/core'
import { copyBytes } from '@vault/core'
import { checkMove } from './check-move.ts'
import { memoryReclaim } from './memory/reclaim.ts'
import type { VersionedRecord } from './memory/records.ts'
import { memoryRecords } from './memory/records.ts'
import { memoryVaultSoup } from './memory/vault-soup.ts'
import { VaultState } from './memory/vault-state.ts'
import type { SoupStore } from './soup-store.ts'
import { nextTenure } from './tenure.ts'
import type { Tenures } from './tenures.ts'

/** How many items a feed keeps at least, where nothing else is asked for. */
const FEED_RETENTION = 1_000_000

export interface MemorySoupOptions {
  /** The feed keeps at least so many of its latest items, and whole changes. Default: 1,000,000. */
  readonly feedRetention?: number
}

/** The soups of a place in memory: everything that the ports promise, but that it is gone with the process. */
export function createMemorySoupStore({ feedRetention = FEED_RETENTION }: MemorySoupOptions = {}): SoupStore {
  if (!Number.isSafeInteger(feedRetention) || feedRetention < 1) {
    throw new RangeError(`The feed keeps a positive number of items, not ${feedRetention}`)
  }
  const states = new Map<ContentId, VaultState>()
  const records = new Map<string, VersionedRecord>()
  const condemned = new Set<string>()
  const parts = { retention: feedRetention, condemned }
  const stateOf = (vault: ContentId) => states.get(vault) ?? new VaultState(vault, parts)
  return {
    tenures: memoryTenures(states, stateOf),
    records: memoryRecords(records),
    reclaim: memoryReclaim(states, condemned),
    soup: (vault) => memoryVaultSoup(() => stateOf(vault)),
    async [Symbol.asyncDispose]() {
      states.clear()
      records.clear()
    },
  }
}

function memoryTenures(states: Map<ContentId, VaultState>, stateOf: (vault: ContentId) => VaultState): Tenures {
  return {
    async list(options) {
      options?.signal?.throwIfAborted()
      return Array.from(states.values(), ({ tenure }) => ({ ...tenure }))
    },

    async read(vault, options) {
      options?.signal?.throwIfAborted()
      return { ...stateOf(vault).tenure }
    },

    async transition(vault, from, to, options) {
      options?.signal?.throwIfAborted()
      const content = checkMove(to)
      const state = stateOf(vault)
      const next = nextTenure(state.tenure, from, to, state.stock)
      if (next.state === 'none') {
        states.delete(vault)
        return
      }
      state.move(next, content)
      if (to.sequence !== undefined) state.feed.restart(next.sequence)
      states.set(vault, state)
    },

    async keyEvents(vault, options) {
      options?.signal?.throwIfAborted()
      return stateOf(vault).keyEvents.map(copyBytes)
    },

    async evidence(vault, options) {
      options?.signal?.throwIfAborted()
      const { evidence } = stateOf(vault)
      return evidence && copyBytes(evidence)
    },
  }
}
