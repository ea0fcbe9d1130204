import type { Bytes } from '@vault/core'
import { copyBytes } from '@vault/core'
import type { Records } from '../records.ts'
import { checkRecordKey, checkRecordPrefix, checkSwap, recordConflict } from '../records.ts'

/** A record, or what is left of one that was removed: its version. */
export interface VersionedRecord {
  readonly version: number
  readonly bytes: Bytes | undefined
}

export function memoryRecords(records: Map<string, VersionedRecord>): Records {
  return {
    async read(key, options) {
      options?.signal?.throwIfAborted()
      checkRecordKey(key)
      const { version, bytes } = records.get(key) ?? {}
      return version === undefined || bytes === undefined ? undefined : { version, bytes: copyBytes(bytes) }
    },

    async list(prefix, options) {
      options?.signal?.throwIfAborted()
      checkRecordPrefix(prefix)
      const present = Array.from(records).filter(([, { bytes }]) => bytes !== undefined)
      return present
        .map(([key]) => key)
        .filter((key) => key.startsWith(prefix))
        .sort()
    },

    async swap(key, expected, next, options) {
      options?.signal?.throwIfAborted()
      checkRecordKey(key)
      const value = checkSwap(expected, next)
      const { version: latest = 0, bytes } = records.get(key) ?? {}
      const version = bytes === undefined ? 0 : latest
      if (version !== expected) throw recordConflict(key, expected, version)
      if (version === 0 && value === undefined) return latest
      records.set(key, { version: latest + 1, bytes: value })
      return latest + 1
    },
  }
}
