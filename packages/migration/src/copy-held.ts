import type { Block, BulkCasReader } from '@vault/cas'
import type { AbortOptions, ContentId } from '@vault/core'
import { VaultError } from '@vault/core'
import type { HeldBlock } from '@vault/soup'
import { storeAndCommit } from '@vault/soup'
import type { Receiving, TrailSource } from './endpoint.ts'
import type { MigrationErrorCode } from './error.ts'

const PAGE = 256
// Some 7 MB of ids. More are asked for again.
const MAX_KNOWN = 65_536

/**
 * Brings the blocks that the trail names, which are under no root. Every one is hashed where it arrives. `known`: what an earlier call for
 * this target has found held and stored there, which is not asked for again; this one adds to it.
 */
export async function copyHeld(
  source: Pick<TrailSource, 'held' | 'objects' | 'label'>,
  target: Omit<Receiving, 'finish'>,
  writing: { readonly migration: string; readonly driver?: number },
  options: AbortOptions,
  known: Set<ContentId> = new Set(),
): Promise<void> {
  let after: ContentId | undefined
  while (true) {
    const page = await source.held({ ...(after !== undefined && { after }), limit: PAGE }, options)
    after = page.at(-1)?.id
    if (after === undefined) return
    const fresh = page.filter(({ id }) => !known.has(id))
    if (fresh.length === 0) continue
    const ids = fresh.map(({ id }) => id)
    const [held, stored] = [await target.soup.holds(ids, options), await target.objects.hasMany(ids, options)]
    const missing = fresh.filter((_, i) => !(held[i] && stored[i]))
    await storeAndCommit(async () => {
      for await (const { ids: written, segment } of target.objects.putMany(read(source, missing, options), options)) {
        const hold = missing.filter(({ id }) => written.includes(id))
        const segments = segment === '' ? [] : [segment]
        await target.intake.receive({ ...writing, segments, hold }, options)
      }
    })
    for (const id of ids) if (known.size < MAX_KNOWN) known.add(id)
  }
}

async function* read(
  source: { readonly objects: BulkCasReader; readonly label: string },
  held: readonly HeldBlock[],
  options: AbortOptions,
): AsyncGenerator<readonly Block[]> {
  if (held.length === 0) return
  for await (const { blocks, absent, damaged } of source.objects.getMany([held.map(({ id }) => id)], options)) {
    const lost = [...absent, ...damaged]
    if (lost.length > 0) throw lostBlocks(source.label, lost)
    yield blocks
  }
}

function lostBlocks(label: string, lost: readonly ContentId[]): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_SOURCE_DAMAGED',
    message: `${lost.length} blocks that the audit trail of the source ${label} names cannot be read, the first is ${lost[0]}. Restore them there from another copy, then resume.`,
    details: { ids: lost },
  })
}
