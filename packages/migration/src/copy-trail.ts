import type { AbortOptions, Bytes } from '@vault/core'
import { copyHeld } from './copy-held.ts'
import type { Receiving, Source, Target, TrailSource, TrailTarget } from './endpoint.ts'

/**
 * Brings a copy the audit trail as far as it is signed now, and every block that it names, where the source gives it and the
 * target keeps it. The roots know nothing of it, so it changes nothing that was verified.
 */
export async function copyTrail(
  { source, target, receiving }: { readonly source: Source; readonly target: Target; readonly receiving: Receiving },
  { keyEvents, migration }: { readonly keyEvents: readonly Bytes[]; readonly migration: string },
  options: AbortOptions,
): Promise<void> {
  if (!givesTrail(source) || !keepsTrail(target)) return
  const trail = await source.trail(options)
  if (trail === undefined) return
  await target.receiveTrail({ vault: source.vault, keyEvents, trail }, options)
  await copyHeld(source, receiving, { migration }, options)
}

function givesTrail(source: Source): source is TrailSource {
  return typeof (source as Partial<TrailSource>).trail === 'function'
}

function keepsTrail(target: Target): target is TrailTarget {
  return typeof (target as Partial<TrailTarget>).receiveTrail === 'function'
}
