import type { Bytes } from '@vault/core'
import { equalBytes, isVaultError, reasonOf } from '@vault/core'
import { decodeEntry } from './entry.ts'

/** What is wrong with an entry at its index, after the entry with this leaf hash where that is known; `undefined` for nothing. */
export function checkEntryAt(index: number, bytes: Uint8Array, prev: Bytes | null | undefined): string | undefined {
  try {
    const entry = decodeEntry(bytes)
    if (entry.seq !== index) return `it says that it is entry ${entry.seq}`
    if (prev === undefined) return undefined
    const linked = prev === null || entry.prev === null ? prev === entry.prev : equalBytes(entry.prev, prev)
    return linked ? undefined : 'it is not linked to the entry before'
  } catch (error) {
    if (!isVaultError(error)) throw error
    return reasonOf(error)
  }
}
