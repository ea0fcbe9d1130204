import type { Coverage } from '@vault/migration'

/** By whom every object was verified, for people. */
export function howChecked(coverage: Coverage | undefined): string {
  return coverage?.mode === 'proven'
    ? 'every object was hashed by the server in its own store, which proved it with a nonce against the bytes here'
    : 'every object was read back and hashed'
}
