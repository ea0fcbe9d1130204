import type { Signer } from '@vault/core'

/** What the audit log calls those who act, where nobody has said it. */
export function signersName(signers: readonly Pick<Signer, 'key'>[]): string {
  return signers.map(({ key }) => key).join('+')
}
