import type { SoupStore, Tenure, TenureState } from '@vault/soup'

/** In the order in which a place prefers them: a folder is the vault that is alive in it, or has ended in it, or else may become alive. */
const PREFERENCE: readonly TenureState[] = [
  'active',
  'quiesced',
  'ended',
  'prepared',
  'receiving',
  'replica',
  'retired',
]

/** The tenure of the vault that the folder is; `undefined` where the place waits for one. */
export async function currentTenure(soups: SoupStore): Promise<Tenure | undefined> {
  const tenures = await soups.tenures.list()
  return PREFERENCE.map((state) => tenures.find((tenure) => tenure.state === state)).find(
    (tenure) => tenure !== undefined,
  )
}
