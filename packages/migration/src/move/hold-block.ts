import type { Block } from '@vault/cas'
import type { AbortOptions, ContentId } from '@vault/core'
import { storeAndCommit } from '@vault/soup'
import type { Seat } from './seat.ts'

/** Stores a block of a vault that is here and holds it; in a quiesced vault, in the name of the migration that froze it. */
export async function holdBlock(
  { objects, store }: Pick<Seat, 'objects' | 'store'>,
  vault: ContentId,
  { block, migration }: { readonly block: Block; readonly migration?: string },
  options?: AbortOptions,
): Promise<void> {
  const soup = store.soup(vault)
  await storeAndCommit(async () => {
    const acks = await Array.fromAsync(objects.putMany([[block]], options))
    const segments = acks.map(({ segment }) => segment).filter((segment) => segment !== '')
    const { state, epoch } = await soup.tenure(options)
    const inName = state === 'quiesced' && migration !== undefined ? { migration } : {}
    const hold = [{ id: block.id, size: block.bytes.length }]
    await soup.commit({ epoch, hold, expect: { segments }, ...inName }, options)
  })
}
