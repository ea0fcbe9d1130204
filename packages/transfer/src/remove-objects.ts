import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import type { CopyTarget } from './copy-objects.ts'

const PAGE = 16_384

/** Takes the objects with these table keys from the charge of the target. */
export async function* removeObjects(
  target: Pick<CopyTarget, 'soup' | 'intake'>,
  keys: readonly Bytes[],
  { migration, signal }: AbortOptions & { readonly migration: string },
): AsyncGenerator<readonly ContentId[]> {
  for (let from = 0; from < keys.length; from += PAGE) {
    const members = await target.soup.membersByKey(keys.slice(from, from + PAGE), { signal })
    const remove = members.map(({ id }) => id)
    await target.intake.receive({ migration, objects: { remove } }, { signal })
    yield remove
  }
}
