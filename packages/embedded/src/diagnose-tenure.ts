import { type AbortOptions, decodeEnvelope, isVaultError, verifyKeyHistory } from '@vault/core'
import type { Tenure, TenureState } from '@vault/soup'
import { currentTenure } from './current-tenure.ts'
import type { Check } from './diagnosis.ts'
import { givenUpIn } from './given-up.ts'
import type { Place } from './place.ts'

const MEANING: Readonly<Record<TenureState, string>> = {
  none: 'nothing of it is here',
  receiving: 'a migration is, or was, writing it here; it is not whole yet',
  prepared: 'it was received whole, and waits for its hand-off',
  active: 'changes to it are made here',
  quiesced: 'it is frozen for a hand-off and takes no changes until that is done or rolled back',
  retired: 'it was handed off to another place; it can be read here and is not changed any more',
  replica: 'it is a verified copy; it can be read here and is changed elsewhere',
  ended: 'it has ended by its last key event; it can be read and copied, and changes nowhere any more',
}

/** States in which somebody has something left to do. */
const UNFINISHED: ReadonlySet<TenureState> = new Set(['receiving', 'prepared', 'quiesced'])

/** Which vault lies here, and what it may do. */
export async function diagnoseTenure(place: Place, options: AbortOptions): Promise<readonly Check[]> {
  const tenure = await currentTenure(place.soups)
  if (tenure === undefined) return [await noTenure(place, options)]
  return [describe(place, tenure), ...(await keyEvents(place, tenure, options))]
}

/** A place that waits to receive a vault. Where nothing tells why there are packs in it, it may be one whose `soup.sqlite` was lost. */
async function noTenure(place: Place, options: AbortOptions): Promise<Check> {
  const { dir, objects } = place
  const segments = await objects.segments(options)
  const waits = { name: 'tenure', ok: true, message: 'The place holds no vault: it waits to receive one.' }
  if (segments.length === 0) return waits
  const given = await givenUpIn(place, options)
  if (given.length > 0) {
    const message = `${waits.message} What it had of ${given.join(', ')} was given up: "vaultctl reclaim ${dir}" frees its room.`
    return { ...waits, message }
  }
  return {
    name: 'tenure',
    ok: false,
    lost: 'unknown',
    message:
      'The place holds no vault, and nothing in it tells why there are packs in objects/: soup.sqlite may be an old one, or another.',
    advice: `Bring soup.sqlite back from a backup, or make a new copy: vault-migrate run --no-handoff --from ANOTHER-PLACE --to NEW-DIR`,
  }
}

function describe({ dir }: Place, { vault, state, epoch, sequence, migration }: Tenure): Check {
  const by = migration === undefined ? '' : ` (migration ${migration})`
  const message = `The vault ${vault} is ${state} here${by}, in epoch ${epoch}, at change ${sequence}: ${MEANING[state]}.`
  if (!UNFINISHED.has(state)) return { name: 'tenure', ok: true, message }
  const advice =
    state === 'quiesced'
      ? `vault-migrate status ${dir} says how far the hand-off is; it is gone on with as said of the migration below.`
      : 'Run the migration again from where it came: the same "vault-migrate run", or "vault-migrate resume" on its source.'
  return { name: 'tenure', ok: false, lost: 'no', message, advice }
}

async function keyEvents({ dir, soups }: Place, { vault }: Tenure, options: AbortOptions): Promise<readonly Check[]> {
  try {
    const envelopes = await soups.tenures.keyEvents(vault, options)
    verifyKeyHistory(envelopes.map((bytes) => decodeEnvelope(bytes)))
    return []
  } catch (error) {
    if (!isVaultError(error)) throw error
    return [
      {
        name: 'tenure',
        ok: false,
        lost: 'here',
        message: `The key events of the vault are damaged in soup.sqlite: ${error.message}`,
        advice: `Keep ${dir} as it is, and make a new copy: vault-migrate run --no-handoff --from ANOTHER-PLACE --to NEW-DIR`,
      },
    ]
  }
}
