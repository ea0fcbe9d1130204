import { decode, parseRoles } from '@vault/core'
import type { ProvingTarget, Seat } from '@vault/migration'
import type { Place } from '../place.ts'
import { keepRootCertificate } from './root-certificate.ts'

/**
 * A target that makes the root certificate of its place when it signs with the new operators' keys, because later they may be sealed.
 * It counts from the activation on: before, the key event whose operators signed it is not one of the vault's. What the source has
 * ends there with the keys that signed it, and a move that is given up leaves one that names a key event which never came.
 */
export function certifyingTarget(target: ProvingTarget, place: Place, seat: Seat): ProvingTarget {
  return {
    ...target,
    async endorse(request, options) {
      const endorsed = await target.endorse(request, options)
      // The target has signed it, so it is the key event that was agreed upon.
      const { seq, roles } = decode(request.keyEvent) as { readonly seq: number; readonly roles: unknown }
      const { operators } = parseRoles(roles)
      const signers = await seat.keys.signers('operators', operators, options)
      if (signers.length >= operators.threshold) {
        const parts = { vault: request.vault, epoch: seq, place: place.info.key, signers, random: seat.random }
        await keepRootCertificate(place.soups.records, parts, options)
      }
      return endorsed
    },
  }
}
