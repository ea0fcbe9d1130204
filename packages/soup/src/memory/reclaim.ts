import type { ContentId } from '@vault/core'
import type { Reclaim } from '../reclaim.ts'
import type { VaultState } from './vault-state.ts'

/** What reclaim asks of vaults in memory. */
export function memoryReclaim(states: ReadonlyMap<ContentId, VaultState>, condemned: Set<string>): Reclaim {
  return {
    async condemn(segments, options) {
      options?.signal?.throwIfAborted()
      for (const segment of segments) condemned.add(segment)
    },

    async condemned(segments, options) {
      options?.signal?.throwIfAborted()
      return segments.filter((segment) => condemned.has(segment))
    },

    async needed(ids, options) {
      options?.signal?.throwIfAborted()
      const vaults = [...states.values()]
      return ids.map((id) =>
        vaults.some(
          ({ members, held, displaced }) => members.has(id) || held.has(id) || displaced.members.get(id) !== undefined,
        ),
      )
    },

    async *list(options) {
      for (const { members, held, displaced } of [...states.values()]) {
        options?.signal?.throwIfAborted()
        const before = [...displaced.members].filter(([, was]) => was !== undefined).map(([id]) => id)
        yield [...members.keys(), ...held.keys(), ...before]
      }
    },
  }
}
