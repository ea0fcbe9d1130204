import type { Vault } from '@vault/embedded'
import { type KeystoreOptions, openKeystore } from './keystore-options.ts'

/** What those who stand in certificates are called: by the text of a principal. */
export type PrincipalNames = (text: string) => string

/** The names under which the keystore has keys; the vault's own operators, and the key of the place, by what they are. */
export async function principalNames(
  options: KeystoreOptions,
  vault?: Pick<Vault, 'id' | 'place'>,
): Promise<PrincipalNames> {
  const keystore = await openKeystore(options)
  const names = new Map<string, string>()
  if (vault !== undefined) {
    names.set(vault.place.info.key, 'this place')
    names.set(`vault:${vault.id}`, 'the operators')
  }
  for (const { name, key } of await keystore.list()) if (!names.has(key)) names.set(key, name)
  return (text) => text.replaceAll(/(?:ed25519|vault):\w+/g, (one) => names.get(one) ?? one).replaceAll(',', ', ')
}
