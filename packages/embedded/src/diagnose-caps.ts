import { type AbortOptions, systemClock, systemRandom } from '@vault/core'
import { REVOCATION_PREFIX } from './caps/cap-entry.ts'
import { makeAnew } from './caps/root-certificate.ts'
import { type UnreadableCap, unreadableCaps } from './caps/unreadable-caps.ts'
import { VaultCaps } from './caps/vault-caps.ts'
import { currentTenure } from './current-tenure.ts'
import type { Check } from './diagnosis.ts'
import type { Place } from './place.ts'

/** Whether what was granted and taken back in the vault can be read. */
export async function diagnoseCaps(place: Place, options: AbortOptions): Promise<readonly Check[]> {
  const tenure = await currentTenure(place.soups)
  if (tenure === undefined) return []
  const { vault } = tenure
  const soup = place.soups.soup(vault)
  const caps = new VaultCaps({ vault, place, soup, clock: systemClock, random: systemRandom })
  const unreadable = await unreadableCaps(caps, options)
  if (unreadable.length === 0)
    return [{ name: 'capabilities', ok: true, message: 'All certificates and revocations of the vault can be read.' }]
  return unreadable.map((each) => describe(each, place.dir))
}

function describe({ entry, kind, refuses }: UnreadableCap, dir: string): Check {
  const check = { name: 'capabilities', ok: false, lost: 'no' } as const
  const refused = 'Until then whoever comes with a certificate is refused, and whoever has the folder is not.'
  switch (kind) {
    case 'certificate':
      return {
        ...check,
        message: `The entry ${entry} holds no certificate that can be read, so it grants nothing.`,
        advice: `Issue what was granted by it again: vaultctl caps issue ${dir} --help`,
      }
    case 'revocation':
      return refuses
        ? {
            ...check,
            message: `The entry ${entry} holds no revocation that can be read, so nobody knows what was taken back by it. ${refused}`,
            advice: `Take back what was meant by it, then itself: vaultctl caps revoke ${dir} ${entry.slice(REVOCATION_PREFIX.length)}`,
          }
        : {
            ...check,
            ok: true,
            message: `The entry ${entry} holds no revocation that can be read; it says nothing, or was taken back itself.`,
          }
    case 'root-certificate':
      return {
        ...check,
        message: `The record ${entry} of the place holds no certificate that can be read, so the vault can be read with the key of the place, and not changed. Whoever comes with a certificate goes on.`,
        advice: makeAnew(dir),
      }
    case 'validation':
      return {
        ...check,
        message: `The entry ${entry} holds no validation that can be read, so the certificate does not hold by it.`,
        advice: `Let it be validated again: vaultctl caps validate ${dir} --help`,
      }
    case 'revocation-set':
      return {
        ...check,
        ok: !refuses,
        message: `The entry ${entry} holds no set of revocations that can be read.${refuses ? ` ${refused}` : ''}`,
        ...(refuses && { advice: `Say anew which revocations there are: vaultctl caps publish ${dir}` }),
      }
  }
}
