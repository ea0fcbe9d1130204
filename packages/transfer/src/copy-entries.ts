import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { equalBytes, matchesId, VaultError } from '@vault/core'
import type { Intake, KeyedEntry, SoupReader } from '@vault/soup'
import { decodeEntry } from '@vault/soup'
import type { TransferErrorCode } from './error.ts'
import { previousOf } from './previous.ts'

/** Where entries are copied to. */
export interface EntryTarget {
  readonly soup: SoupReader
  readonly intake: Pick<Intake, 'receive'>
}

/** Entries that are durable at the target and were read back. */
export interface CopiedEntries {
  readonly entries: number
  /** Earlier versions that came with them. */
  readonly versions: number
  /** Bytes of the entries and versions in canonical form. */
  readonly bytes: number
}

// Rows are read in pages and written in larger changes: what one flush is shared by, bounded in memory even where
// every entry is as long as an entry can be.
const PAGE = 1_024
const CHANGE_BYTES = 8 * 1024 * 1024
const CHANGE_ENTRIES = 8_192

/**
 * Copies the entries with these table keys, ascending, each with the earlier versions that the target does not have, and reads
 * them back (M044). A key that is no longer at the source is passed over. Throws `TRANSFER_ENTRY_REFUSED`.
 */
export async function* copyEntries(
  source: SoupReader,
  target: EntryTarget,
  keys: readonly Bytes[],
  options: AbortOptions & { readonly migration: string },
): AsyncGenerator<CopiedEntries> {
  const { migration, signal } = options
  for await (const rows of changesOf(source, keys, { signal })) {
    // Versions before their entry: a crash between them leaves versions that nothing names, never an entry without.
    const versions = await copyVersions(source, target, rows, options)
    await target.intake.receive({ migration, entries: { put: rows.map((row) => row.bytes) } }, { signal })
    await readBack(target.soup, rows, { signal })
    yield { entries: rows.length, versions: versions.count, bytes: versions.bytes + sizeOf(rows) }
  }
}

async function* changesOf(
  source: SoupReader,
  keys: readonly Bytes[],
  options: AbortOptions,
): AsyncGenerator<readonly KeyedEntry[]> {
  let change: KeyedEntry[] = []
  let bytes = 0
  for (let from = 0; from < keys.length; from += PAGE) {
    const rows = await source.entriesByKey(keys.slice(from, from + PAGE), options)
    change.push(...rows)
    bytes += sizeOf(rows)
    if (bytes < CHANGE_BYTES && change.length < CHANGE_ENTRIES) continue
    yield change
    change = []
    bytes = 0
  }
  if (change.length > 0) yield change
}

function sizeOf(rows: readonly KeyedEntry[]): number {
  return rows.reduce((sum, row) => sum + row.bytes.length, 0)
}

async function copyVersions(
  source: SoupReader,
  target: EntryTarget,
  rows: readonly KeyedEntry[],
  options: AbortOptions & { readonly migration: string },
): Promise<{ count: number; bytes: number }> {
  const { migration, signal } = options
  const copied = { count: 0, bytes: 0 }
  for (const row of rows) {
    const newest = previousOf(row.bytes)
    if (newest === undefined) continue
    for await (const versions of missingVersions(source, target.soup, newest, { signal })) {
      await target.intake.receive({ migration, versions }, { signal })
      copied.count += versions.length
      for (const version of versions) copied.bytes += version.length
    }
  }
  return copied
}

/** Removes the entries with these table keys from the target. */
export async function* removeEntries(
  target: EntryTarget,
  keys: readonly Bytes[],
  options: AbortOptions & { readonly migration: string },
): AsyncGenerator<readonly string[]> {
  const { migration, signal } = options
  for (let from = 0; from < keys.length; from += PAGE) {
    const rows = await target.soup.entriesByKey(keys.slice(from, from + PAGE), { signal })
    const remove = rows.map((row) => decodeEntry(row.bytes).key)
    await target.intake.receive({ migration, entries: { remove } }, { signal })
    yield remove
  }
}

async function readBack(target: SoupReader, rows: readonly KeyedEntry[], options: AbortOptions): Promise<void> {
  for (let from = 0; from < rows.length; from += PAGE) {
    const page = rows.slice(from, from + PAGE)
    const keys = page.map((row) => row.key)
    requireEqual(await target.entriesByKey(keys, options), page)
  }
}

function requireEqual(stored: readonly KeyedEntry[], sent: readonly KeyedEntry[]): void {
  for (const [i, row] of sent.entries()) {
    const back = stored[i]
    if (back !== undefined && equalBytes(back.key, row.key) && equalBytes(back.bytes, row.bytes)) continue
    const { key } = decodeEntry(row.bytes)
    throw new VaultError<TransferErrorCode>({
      code: 'TRANSFER_ENTRY_REFUSED',
      message: `Soup entry migration failed: ${JSON.stringify(key)} read back from the target is not what was written.`,
      details: { key },
    })
  }
}

/**
 * The versions that the target lacks, oldest first, in pages. Because they are written in this order, a version that
 * the target has means that it has all older ones too.
 */
async function* missingVersions(
  source: SoupReader,
  target: SoupReader,
  newest: ContentId,
  options: AbortOptions,
): AsyncGenerator<readonly Bytes[]> {
  const missing: ContentId[] = []
  for (let id: ContentId | undefined = newest; id !== undefined; ) {
    if ((await target.version(id, options)) !== undefined) break
    const bytes: Bytes | undefined = await versionAt(source, id, options)
    // The source keeps no more of this history.
    if (bytes === undefined) break
    missing.push(id)
    id = previousOf(bytes)
  }
  while (missing.length > 0) {
    const page: Bytes[] = []
    for (const id of missing.splice(-PAGE).reverse()) {
      const bytes = await versionAt(source, id, options)
      if (bytes !== undefined) page.push(bytes)
    }
    yield page
  }
}

async function versionAt(source: SoupReader, id: ContentId, options: AbortOptions): Promise<Bytes | undefined> {
  const bytes = await source.version(id, options)
  if (bytes === undefined || matchesId(id, bytes)) return bytes
  throw new VaultError<TransferErrorCode>({
    code: 'TRANSFER_ENTRY_REFUSED',
    message: `Soup entry migration failed: the source's version ${id} is not what its id names. Check the source's soup.`,
    details: { id },
  })
}
