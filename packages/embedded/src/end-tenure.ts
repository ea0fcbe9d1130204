import { type AbortOptions, isVaultError, type VaultId } from '@vault/core'
import { keyStateAt } from '@vault/migration'
import type { SoupStore } from '@vault/soup'

/**
 * Moves to `ended` what has ended and still counts as active: earlier versions kept the last key event of a vault and left its
 * tenure as it was. A copy stays a copy: it is received again, and goes, as any other.
 */
export async function endTenure(soups: SoupStore, vault: VaultId, options: AbortOptions): Promise<void> {
  const { state, epoch } = await soups.tenures.read(vault, options)
  if (state !== 'active' || !(await keyStateAt({ store: soups }, vault, options)).retired) return
  try {
    await soups.tenures.transition(vault, { state, epoch }, { state: 'ended', epoch }, options)
  } catch (error) {
    // Whoever opened it at the same time was faster.
    if (!isVaultError(error, 'SOUP_TENURE') || (await soups.tenures.read(vault, options)).state !== 'ended') throw error
  }
}
