import type { AbortOptions, Prefix } from '@vault/core'
import { VaultError } from '@vault/core'
import { type Branch, readBranches } from '@vault/merkle'
import type { SoupReader } from '@vault/soup'
import type { VaultTable } from './difference.ts'
import type { TransferErrorCode } from './error.ts'

/** Branches for which one view is held: 640 kB of them. */
const PAGE = 1_024

/** The branches of one table as it is at a sequence number. Throws `TRANSFER_INDEX_CHANGED` where the vault is elsewhere. */
export async function* indexBranches(
  soup: SoupReader,
  table: VaultTable,
  sequence: number,
  options: AbortOptions,
): AsyncGenerator<Branch> {
  let after: Prefix | undefined
  do {
    const range = { limit: PAGE, ...(after === undefined ? {} : { after }) }
    const { branches, next } = await soup.view(async (view) => {
      if (view.sequence !== sequence) throw changed(sequence, view.sequence)
      return await readBranches(view[table], range, options)
    }, options)
    yield* branches
    after = next
  } while (after !== undefined)
}

function changed(sequence: number, now: number): VaultError {
  return new VaultError<TransferErrorCode>({
    code: 'TRANSFER_INDEX_CHANGED',
    message: `The vault went on from change ${sequence} to ${now} while its indexes were read. Read them again, when it is at rest.`,
    details: { sequence, now },
  })
}
