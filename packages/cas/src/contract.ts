import type { ContractCase } from '@vault/core/testing'
import type { ContentStore } from './cas.ts'
import { bulkCases } from './contract-bulk.ts'
import { objectCases } from './contract-object.ts'

/**
 * What every content store promises, as programs. Each case may run on a store that holds other objects, and leaves some
 * tens of small objects and a few of a mebibyte behind. The content is fixed, so that a failure can be repeated.
 */
export const casContract: readonly ContractCase<ContentStore>[] = [...objectCases, ...bulkCases]
