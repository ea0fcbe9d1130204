import type { AbortOptions } from '@vault/core'
import { decode, encode, isVaultError } from '@vault/core'
import type { Records } from '@vault/soup'
import type { Mark } from '../pace.ts'

/** How fast the latest run of a move sends: `formats/migration-records.md`. Losing it loses the time that is said to be left. */
interface PaceRecord {
  readonly type: 'migration-pace'
  readonly v: 1
  readonly marks: readonly Mark[]
}

/** Keeps what a run has seen, in the place of what was kept before. */
export async function tellPace(
  records: Records,
  migration: string,
  marks: readonly Mark[],
  options?: AbortOptions,
): Promise<void> {
  const whole = marks.map(({ at, objects, bytes }) => ({ at: Math.round(at), objects, bytes }))
  const record: PaceRecord = { type: 'migration-pace', v: 1, marks: whole }
  const version = (await records.read(keyOf(migration), options))?.version ?? 0
  try {
    await records.swap(keyOf(migration), version, encode(record), options)
  } catch (error) {
    // Another run has told of its own.
    if (!isVaultError(error, 'SOUP_CONFLICT')) throw error
  }
}

/** How fast the latest run of a move has sent, for `moveStatus`; nothing where that is not known. */
export async function readMovePace(
  records: Records,
  migration: string,
  options?: AbortOptions,
): Promise<readonly Mark[]> {
  const found = await records.read(keyOf(migration), options)
  if (found === undefined) return []
  const record = decode(found.bytes) as PaceRecord
  return record.type === 'migration-pace' && record.v === 1 ? record.marks : []
}

function keyOf(migration: string): string {
  return `migration/${migration}/pace`
}
