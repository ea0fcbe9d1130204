import { VaultError } from '@vault/core'
import type { Ceremony, CeremonyFindingCode } from '@vault/spki-caps/ceremony'
import type { OpenKey } from '../key-file.ts'
import { hasKey, openRoleKey } from '../keystore.ts'

const ROLES = ['identity', 'operators', 'log'] as const

/**
 * The keys in the folder of a place that have a part in a ceremony: those of a vault's first owner lie there, and every log key. The
 * passphrase is asked for where one is sealed. Throws `CEREMONY_NOT_MEMBER` where there is none, `KEY_PASSPHRASE`, `KEY_DAMAGED`.
 */
export async function openMemberKeys(
  dir: string,
  { id, plan }: Ceremony,
  passphrase: () => Promise<string | undefined>,
): Promise<readonly OpenKey[]> {
  const keys: OpenKey[] = []
  for (const { key } of plan.members) {
    for (const role of ROLES) {
      if ((await hasKey({ dir, role, key })) === undefined) continue
      keys.push(await openRoleKey({ dir, role, key, passphrase }))
      break
    }
  }
  if (keys.length > 0) return keys
  throw new VaultError<CeremonyFindingCode>({
    code: 'CEREMONY_NOT_MEMBER',
    message: `No key in ${dir} has a part in the ceremony ${id}.`,
    details: { plan: id },
  })
}
