import type { AbortOptions, ContentId, Random } from '@vault/core'
import { systemRandom } from '@vault/core'
import { authorizedRun } from './authorized-run.ts'
import type { Summary } from './event.ts'
import { unknownObject } from './export-object.ts'
import type { MigrationParts } from './plan-migration.ts'
import { newMigrationId } from './plan-migration.ts'
import { runPartial } from './run-partial.ts'
import { selectObject } from './selection.ts'

/**
 * Copies one object into another active vault, with all that it links to and the entry that describes it (M015, X01),
 * verified. One that is there already costs a look. Throws `MIGRATION_OBJECT_UNKNOWN` and what a partial run throws.
 */
export async function migrateObject(
  { hash, ...parts }: MigrationParts & { readonly hash: ContentId },
  options: AbortOptions & { readonly random?: Random } = {},
): Promise<Summary> {
  const { random = systemRandom, signal } = options
  signal?.throwIfAborted()
  const { source } = parts
  const [charged] = await source.soup.charged([hash], { signal })
  if (!charged) throw unknownObject(hash, source.label)
  const events = runPartial(newMigrationId(random), parts, selectObject(source.soup, hash), { signal })
  let summary: Summary | undefined
  for await (const event of authorizedRun('partial', parts, events, { signal })) {
    if (event.type === 'summary') summary = event.summary
  }
  return summary as Summary
}
