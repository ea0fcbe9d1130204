import { type ContentId, VaultError } from '@vault/core'
import type { TransferErrorCode } from './error.ts'

/** Refuses a CAR that is not in the form it must have. `offset`: where in it, in bytes. */
export function invalidCar(why: string, details: { offset?: number; id?: ContentId }, cause?: unknown): VaultError {
  const where = details.offset === undefined ? '' : ` at byte ${details.offset}`
  return new VaultError<TransferErrorCode>({
    code: 'TRANSFER_CAR_INVALID',
    message: `The CAR is refused${where}: ${why}. Nothing of it came under charge; get it again, or from another source.`,
    details,
    cause,
  })
}

/** Refuses what goes beyond a limit. */
export function tooLargeCar(what: string, limit: number): VaultError {
  return new VaultError<TransferErrorCode>({
    code: 'TRANSFER_CAR_TOO_LARGE',
    message: `The CAR is refused: ${what}, and the limit is ${limit}.`,
    details: { limit },
  })
}

/** Names what a CAR lacks: the first of `missing` ids. */
export function incompleteCar(message: string, id: ContentId, missing: number): VaultError {
  return new VaultError<TransferErrorCode>({ code: 'TRANSFER_CAR_INCOMPLETE', message, details: { id, missing } })
}
