import type { Vault } from '@vault/embedded'
import { type KeystoreOptions, openKeystore } from './keystore-options.ts'

/** What those who stand in certificates are called: by the text of a principal. */
export type PrincipalNames = (text: string) => string

/** The names under which the keystore has keys, also where a name is theirs, as `hr/accountants`; the vault's own operators, and the key of the place, by what they are. */
export async function principalNames(
  options: KeystoreOptions,
  vault?: Pick<Vault, 'id' | 'place'>,
): Promise<PrincipalNames> {
  const keystore = await openKeystore(options)
  const names = new Map<string, string>()
  const own = vault && `vault:${vault.id}`
  if (vault !== undefined) {
    names.set(vault.place.info.key, 'this place')
    names.set(`vault:${vault.id}`, 'the operators')
  }
  for (const { name, key } of await keystore.list()) if (!names.has(key)) names.set(key, name)
  const called = (one: string) => names.get(one) ?? one
  return (text) =>
    text
      .replaceAll(/name:((?:ed25519|vault):\w+)\//g, (_, of) => `${of === own ? 'vault' : called(of)}/`)
      .replaceAll(/(?:ed25519|vault):\w+/g, called)
      .replaceAll(/,(?! )/g, ', ')
}
