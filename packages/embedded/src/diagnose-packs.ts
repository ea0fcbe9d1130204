import type { AbortOptions } from '@vault/core'
import { currentTenure } from './current-tenure.ts'
import type { Check } from './diagnosis.ts'
import type { Place } from './place.ts'

const PAGE = 4096

/** Whether the packs that are there have every object under charge, as far as their lists tell: no content is read. */
export async function diagnosePacks({ dir, objects, soups }: Place, options: AbortOptions): Promise<readonly Check[]> {
  const vault = (await currentTenure(soups))?.vault
  if (vault === undefined) return []
  const soup = soups.soup(vault)
  let count = 0
  let missing = 0
  for (let after: Uint8Array | undefined; ; ) {
    const page = await soup.members({ ...(after && { after }), limit: PAGE }, options)
    const ids = page.map(({ id }) => id)
    count += ids.length
    missing += (await objects.hasMany(ids, options)).filter((held) => !held).length
    if (page.length < PAGE) break
    after = page.at(-1)?.key
  }
  const total = count.toLocaleString('en')
  if (missing === 0)
    return [{ name: 'packs', ok: true, message: `All ${total} objects are listed in the packs of objects/.` }]
  return [
    {
      name: 'packs',
      ok: false,
      lost: 'here',
      message: `${missing.toLocaleString('en')} of ${total} objects are in no pack of objects/: a pack is missing or damaged.`,
      advice: `vaultctl verify ${dir} --repair --from ANOTHER-PLACE brings them back; vaultctl verify ${dir} names the files that need them.`,
    },
  ]
}
