import type { Trail } from '@vault/audit-chain'
import type { AbortOptions } from '@vault/core'
import { isVaultError } from '@vault/core'
import type { HeldBlock, Soup } from '@vault/soup'

/** An event, and the key by which it is known. */
export interface KeyedEvent {
  readonly key: string
  readonly bytes: Uint8Array
}

/**
 * Queues events for the trail, each once: what stands in the log already, behind `since` and under a key with this prefix, is left
 * out. The number of events is part of what the change expects, so of two processes that tell the same one does.
 */
export async function tellOnce(
  vault: { readonly soup: Soup; readonly trail: () => Promise<Trail> },
  telling: {
    readonly events: readonly KeyedEvent[]
    readonly hold: readonly HeldBlock[]
    readonly prefix: string
    readonly since: number
    readonly migration: string
  },
  options?: AbortOptions,
): Promise<void> {
  const { soup } = vault
  const { hold, prefix, since, migration } = telling
  const told = new Set<string>()
  let from = since
  while (true) {
    const trail = await vault.trail()
    const { state, epoch, events } = await soup.tenure(options)
    for await (const page of trail.entries({ from, to: trail.size, ...options })) {
      for (const { entry } of page) if (entry.key.startsWith(prefix)) told.add(entry.key)
    }
    from = Math.max(from, trail.size)
    const missing = telling.events.filter(({ key }) => !told.has(key)).map(({ bytes }) => bytes)
    if (missing.length === 0) return
    if (trail.size !== events) continue
    try {
      const inName = state === 'quiesced' ? { migration } : {}
      await soup.commit({ epoch, events: missing, hold, expect: { events }, ...inName }, options)
      await vault.trail()
      return
    } catch (error) {
      if (!isVaultError(error, 'SOUP_CONFLICT')) throw error
    }
  }
}
