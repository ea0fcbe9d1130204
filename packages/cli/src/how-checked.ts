import type { Checked, Coverage } from '@vault/migration'
import { counted } from './human.ts'

/** By whom the objects were verified, for people; `from`: where the bytes lie that they were held against. */
export function howChecked(
  verification: { readonly coverage: Coverage; readonly checked: Pick<Checked, 'objects'> } | null,
  from: string,
): string {
  if (verification?.coverage.mode !== 'proven') return 'every object was read back and hashed'
  const { coverage, checked } = verification
  const proven = `hashed by its new place, which proved with a nonce and its own key, against the bytes in ${from}, that it has them at hand`
  if (coverage.objects >= checked.objects) return `every object was ${proven}`
  return `${counted(coverage.objects, 'object')} of ${checked.objects} were ${proven}, and the others were read back and hashed`
}
