import type { AbortOptions, Bytes } from '@vault/core'
import { isVaultError } from '@vault/core'
import type { Records } from './records.ts'

/**
 * Changes a record whoever else changes it meanwhile: `change` is asked again with what it is then, and makes what is to be kept of it, or
 * `undefined` to leave it. Durable when it resolves. Throws what `change` throws.
 */
export async function changeRecord(
  records: Records,
  key: string,
  change: (before: Bytes | undefined) => Uint8Array | undefined,
  options?: AbortOptions,
): Promise<void> {
  while (true) {
    const before = await records.read(key, options)
    const next = change(before?.bytes)
    if (next === undefined) return
    try {
      await records.swap(key, before?.version ?? 0, next, options)
      return
    } catch (error) {
      if (!isVaultError(error, 'SOUP_CONFLICT')) throw error
    }
  }
}
