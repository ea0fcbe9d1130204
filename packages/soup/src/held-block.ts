import type { ContentId } from '@vault/core'
import { isContentId } from '@vault/core'
import { soupError } from './soup-error.ts'

/**
 * A block kept with the vault outside its roots and never reclaimed: what the audit trail, a plan or a certificate names.
 * It may be under charge as well, which is another matter: one says nothing of the other.
 */
export interface HeldBlock {
  readonly id: ContentId
  /** Length of its bytes. */
  readonly size: number
}

/** Copies of blocks to hold. Throws `SOUP_INVALID` for what is no block. */
export function checkHeld(blocks: readonly HeldBlock[] = []): readonly HeldBlock[] {
  return blocks.map(({ id, size }) => {
    if (!isContentId(id)) throw soupError('SOUP_INVALID', 'A block to hold has no content id.')
    if (Number.isSafeInteger(size) && size >= 0) return { id, size }
    throw soupError('SOUP_INVALID', `The size of the held block ${id} is no count of bytes.`)
  })
}
