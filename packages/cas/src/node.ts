import type { AbortOptions, ContentId } from '@vault/core'
import { decode, VaultError } from '@vault/core'
import type { Block, CasErrorCode, CasReader } from './cas.ts'
import { MAX_BLOCK_LENGTH } from './cas.ts'

/** Reads and decodes a dag-cbor block, of the object `root`. Throws `CAS_MISSING`, `CAS_MALFORMED` and what `get` throws. */
export async function readNode(
  reader: Pick<CasReader, 'get'>,
  { id, root = id }: { readonly id: ContentId; readonly root?: ContentId },
  options: AbortOptions | undefined,
): Promise<unknown> {
  const bytes = await reader.get(id, options)
  if (bytes === undefined) throw missing(id, root)
  return decodeNode({ id, bytes })
}

/** Decodes a dag-cbor block under limits of length and depth. Throws `CAS_MALFORMED`. */
export function decodeNode({ id, bytes }: Block): unknown {
  try {
    return decode(bytes, { maxBytes: MAX_BLOCK_LENGTH })
  } catch (cause) {
    throw malformed(id, 'its bytes are not canonical DAG-CBOR', cause)
  }
}

/** Refuses a block by name. */
export function malformed(id: ContentId, why: string, cause?: unknown): VaultError<CasErrorCode> {
  return new VaultError({
    code: 'CAS_MALFORMED',
    message: `Block ${id} is refused: ${why}. It was written by faulty or hostile software; take the content from another source.`,
    details: { id },
    cause,
  })
}

/** Names a part that is not in the store, and the object that needs it. */
export function missing(id: ContentId, root: ContentId = id): VaultError<CasErrorCode> {
  return new VaultError({
    code: 'CAS_MISSING',
    message: `Block ${id}${root === id ? '' : `, a part of ${root},`} is not in the store. Restore it from a replica or a backup.`,
    details: { id, root },
  })
}

/** Names a part whose stored bytes are damaged, and the object that needs it. */
export function damaged(id: ContentId, root: ContentId): VaultError<CasErrorCode> {
  return new VaultError({
    code: 'CAS_CORRUPT',
    message: `The stored bytes of block ${id}, a part of ${root}, are damaged. Restore it from a replica or a backup.`,
    details: { id, root },
  })
}

/** The fields of a decoded map, each unknown. */
export type Fields = Readonly<Record<string, unknown>>

/** The fields of a map of this type and version 1 that has exactly these names beside `v` and `type`. */
export function fieldsOf(
  id: ContentId,
  value: unknown,
  shape: { readonly type: string; readonly names: readonly string[] },
): Fields {
  const fields = isMap(value) ? value : {}
  if (fields.type !== shape.type) throw malformed(id, `it is no ${shape.type}`)
  if (isBetween(fields.v, 2)) throw newer(id, shape.type, fields.v)
  if (fields.v !== 1) throw malformed(id, 'its version is no positive integer')
  const expected = ['v', 'type', ...shape.names]
  const isExact =
    Object.keys(fields).length === expected.length && expected.every((name) => Object.hasOwn(fields, name))
  if (!isExact) throw malformed(id, `its fields are not ${expected.join(', ')}`)
  return fields
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

function newer(id: ContentId, type: string, version: number): VaultError<CasErrorCode> {
  return new VaultError({
    code: 'CAS_FORMAT',
    message: `Block ${id} is a ${type} of version ${version}, newer than version 1, which this software reads. Use newer software.`,
    details: { id, version },
  })
}

/** Whether a value is an integer from `low` to `high`. */
export function isBetween(value: unknown, low: number, high: number = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high
}
