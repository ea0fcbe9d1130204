import { matchesId, VaultError } from '@vault/core'
import type { Block, CasErrorCode } from './cas.ts'
import { MAX_BLOCK_LENGTH } from './cas.ts'

/** For stores, before they write a block: throws `CAS_TOO_LARGE`, or `CAS_CORRUPT` where the bytes are not what the id names. */
export function checkBlock({ id, bytes }: Block): void {
  checkLength(bytes)
  if (matchesId(id, bytes)) return
  throw new VaultError<CasErrorCode>({
    code: 'CAS_CORRUPT',
    message: `The ${bytes.length} bytes given as ${id} are not what this id names. Nothing of their batch is acknowledged; fetch them again.`,
    details: { id },
  })
}

/** For stores, before they name bytes: throws `CAS_TOO_LARGE`. */
export function checkLength(bytes: Uint8Array): void {
  if (bytes.length <= MAX_BLOCK_LENGTH) return
  throw new VaultError<CasErrorCode>({
    code: 'CAS_TOO_LARGE',
    message: `A block of ${bytes.length} bytes is longer than the ${MAX_BLOCK_LENGTH} that one may have. Store longer content with writeFile.`,
    details: { length: bytes.length, limit: MAX_BLOCK_LENGTH },
  })
}
