import { linksOf } from '@vault/cas'
import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { VaultError } from '@vault/core'
import type { Entry } from '@vault/soup'
import type { Source } from './endpoint.ts'
import type { MigrationErrorCode } from './error.ts'

/** An object with what belongs to it (M022–M026), under the seed's names. */
export interface VaultObject {
  readonly hash: ContentId
  readonly content: Bytes
  /** The entry that describes it, where there is one. */
  readonly 'soup-entry'?: Entry
  /** What its content links to. */
  readonly references: readonly ContentId[]
}

/** One object of a vault. Throws `MIGRATION_OBJECT_UNKNOWN`, and `CAS_CORRUPT` where its bytes are damaged. */
export async function exportObject(
  hash: ContentId,
  source: Pick<Source, 'label' | 'objects' | 'soup'>,
  options?: AbortOptions,
): Promise<VaultObject> {
  options?.signal?.throwIfAborted()
  const [charged] = await source.soup.charged([hash], options)
  const content = charged ? await source.objects.get(hash, options) : undefined
  if (content === undefined) throw unknownObject(hash, source.label)
  const entry = await source.soup.entry(`obj:${hash}`, options)
  const references = linksOf({ id: hash, bytes: content })
  return { hash, content, ...(entry === undefined ? {} : { 'soup-entry': entry }), references }
}

/** The refusal of an object that the source does not have. */
export function unknownObject(id: ContentId, label: string): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_OBJECT_UNKNOWN',
    message: `The object ${id} is not in the vault at ${label}. Check the id.`,
    details: { id },
  })
}
