import type { ContentId } from '@vault/core'
import type { Entry } from '@vault/soup'
import type { SourceFile } from './source-file.ts'

/** The entry that names a file or a link. */
export function pathEntry(
  name: string,
  { id, size, mode }: { readonly id: ContentId; readonly size: number; readonly mode: number },
): Entry {
  return { key: `path:${name}`, type: 'path', object: id, fields: { size, mode } }
}

/** The entry that is to name what was found on disk. */
export function sourceEntry({ name, stats }: SourceFile, id: ContentId, size: number): Entry {
  const mode = stats.isSymbolicLink() ? 0o120000 : stats.mode & 0o111 ? 0o100755 : 0o100644
  return pathEntry(name, { id, size, mode })
}
