import { type AbortOptions, type ContentId, isContentId } from '@vault/core'
import { nameFromPath } from './name.ts'
import type { NamedFile } from './named-files.ts'
import { unknownName } from './unknown-name.ts'
import type { Vault } from './vault.ts'

/** What a word of a user stands for. An object found by its id alone has no name. */
export type Resolved =
  | { readonly type: 'file'; readonly file: { readonly object: ContentId } & Partial<NamedFile> }
  | { readonly type: 'folder'; readonly name: string }

/** A name of a file or a folder, or a content id; names first. Throws `VAULT_NAME_UNKNOWN`. */
export async function resolveName(vault: Vault, word: string, options: AbortOptions = {}): Promise<Resolved> {
  const name = nameFromPath(word)
  const file = name === '' ? undefined : await vault.file(name, options)
  if (file !== undefined) return { type: 'file', file }
  for await (const page of vault.files(name, options)) {
    if (page.length > 0) return { type: 'folder', name }
  }
  if (isContentId(word) && (await vault.objects.has(word, options))) return { type: 'file', file: { object: word } }
  throw unknownName(word, vault.place)
}
