import { type AbortOptions, type ContentId, VaultError } from '@vault/core'
import type { Entry, VaultSoup } from '@vault/soup'
import type { Extraction } from './get-files.ts'

/** A name in the vault and what it stands for. */
export interface NamedFile {
  readonly name: string
  readonly object: ContentId
  /** Length of the content in bytes. */
  readonly size: number
  /** As in git: 0o100644, 0o100755 for an executable, 0o120000 for a symbolic link. */
  readonly mode: number
}

const PATH = 'path:'

/** The key of the entry that gives a name. */
export function keyOfName(name: string): string {
  return `${PATH}${name}`
}

/** The file of this name. */
export async function fileNamed(soup: VaultSoup, name: string, options: AbortOptions): Promise<NamedFile | undefined> {
  const entry = await soup.entry(keyOfName(name), options)
  return entry && namedFile(entry)
}

/** Files that lie under a folder, at any depth, in the order of names; all for the empty name. In pages. */
export async function* filesUnder(
  soup: VaultSoup,
  folder: string,
  options: AbortOptions,
): AsyncGenerator<readonly NamedFile[]> {
  for await (const page of soup.query({ prefix: prefixOf(folder) }, options)) yield page.map(namedFile)
}

/** The same files as they are to be written to disk, by their names relative to the folder. */
export async function* extractionsUnder(
  soup: VaultSoup,
  folder: string,
  options: AbortOptions,
): AsyncGenerator<Extraction> {
  const prefix = prefixOf(folder)
  for await (const page of soup.query({ prefix }, options)) {
    for (const entry of page) yield { entry, path: entry.key.slice(prefix.length) }
  }
}

function prefixOf(folder: string): string {
  return folder === '' ? PATH : `${keyOfName(folder)}/`
}

function namedFile(entry: Entry): NamedFile {
  const { size, mode } = entry.fields
  if (entry.object === undefined || typeof size !== 'number' || typeof mode !== 'number') {
    throw new VaultError({
      code: 'SOUP_CORRUPT',
      message: `The entry ${JSON.stringify(entry.key)} names no object, or lacks its size or mode.`,
      details: { table: 'entries', key: entry.key },
    })
  }
  return { name: entry.key.slice(PATH.length), object: entry.object, size, mode }
}
