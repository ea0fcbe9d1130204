import type { Authorize } from '@vault/core'

/**
 * Grants everything to the process that opened the place: who can read and write its folder could do all of it without
 * asking. Not proven, and said so.
 */
export const owner: Authorize = async ({ action, object }) => ({ action, object, proven: false })
