import type { LogStore, StoredLog } from '@vault/audit-chain'
import { importTrail, originOf } from '@vault/audit-chain'
import type { AbortOptions, ContentId } from '@vault/core'
import { decodeEnvelope, verifyKeyHistory } from '@vault/core'
import type { VaultSoup } from '@vault/soup'
import type { Source, Target, TrailSource, TrailTarget } from './endpoint.ts'
import { logKeys } from './move/log-keys.ts'

/** A source that gives the trail of its vault with it. `log` opens where that lies. */
export function sourceWithTrail(
  source: Source,
  {
    log,
    soup,
  }: { readonly log: (options?: AbortOptions) => Promise<StoredLog>; readonly soup: Pick<VaultSoup, 'held'> },
): TrailSource {
  return {
    ...source,
    async trail(options) {
      const stored = await log(options)
      const note = await stored.head(options)
      return note && { log: stored, note }
    },
    held: (range, options) => soup.held(range, options),
  }
}

/** A target that keeps the trail of the vault that it receives. `log` opens, and makes, where that is to lie. */
export function targetWithTrail<Place extends Target>(
  target: Place,
  log: (vault: ContentId, options?: AbortOptions) => Promise<LogStore>,
): Place & TrailTarget {
  return {
    ...target,
    async receiveTrail({ vault, keyEvents, trail }, options) {
      const keys = logKeys(verifyKeyHistory(keyEvents.map((bytes) => decodeEnvelope(bytes))))
      const parts = { from: trail.log, checkpoint: trail.note, to: await log(vault, options), origin: originOf(vault) }
      for await (const _ of importTrail({ ...parts, keys, ...options }));
    },
  }
}
