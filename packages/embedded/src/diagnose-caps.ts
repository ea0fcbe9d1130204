import { type AbortOptions, systemClock, systemRandom } from '@vault/core'
import { REVOCATION_PREFIX } from './caps/cap-entry.ts'
import { type RevocationStanding, revocationStanding } from './caps/revocation-standing.ts'
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
  const standing = await revocationStanding(caps, options)
  // Where a set cannot be read, that is what is wrong with it.
  const isTold = unreadable.some(({ kind, refuses }) => kind === 'revocation-set' && refuses)
  const said = [
    ...(standing === undefined || isTold ? [] : [describeStanding(standing)]),
    ...(await shutOut(caps, options)),
  ]
  if (unreadable.length > 0) return [...unreadable.map((each) => describe(each, place.dir)), ...said]
  const readable = 'All certificates and revocations of the vault can be read.'
  return [{ name: 'capabilities', ok: true, message: readable }, ...said]
}

/** Where the certificate of the place was taken back, and nothing else lets its key in. */
async function shutOut(caps: VaultCaps, options: AbortOptions): Promise<readonly Check[]> {
  if ((await caps.rootStanding(options)).standing !== 'revoked') return []
  const { dir, info } = caps.parts.place
  if ((await caps.ask([info.key], { action: 'read' }, options)).verdict.ok) return []
  return [
    {
      name: 'capabilities',
      ok: false,
      lost: 'no',
      message:
        'The certificate by which the key of this place works was revoked, so nobody reads or changes the vault here but with a certificate of his own (--as).',
      advice: `Where that is not meant, let the operators grant it anew: vaultctl caps issue ${dir} --to ${info.key} --action "*" --expires never`,
    },
  ]
}

function describeStanding({ current, message, advice }: RevocationStanding): Check {
  const check = { name: 'revocations', ok: current } as const
  if (current) return { ...check, message }
  return {
    ...check,
    lost: 'no',
    message: `${message} Until they publish anew whoever comes with a certificate is refused (CAPS_STALE), but for what may go by an older word. Whoever has the folder is not.`,
    advice: `Say anew which revocations there are: ${advice}`,
  }
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
