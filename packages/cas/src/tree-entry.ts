import type { ContentId } from '@vault/core'
import { codecOf, utf8 } from '@vault/core'
import { MAX_BLOCK_LENGTH } from './cas.ts'
import { isBetween } from './node.ts'

/** The kinds of entries, numbered as in POSIX and in git. */
export const TREE_MODES = {
  file: 0o100644,
  executable: 0o100755,
  /** Its content is the text of the link. */
  symlink: 0o120000,
  directory: 0o040000,
} as const

export type TreeMode = (typeof TREE_MODES)[keyof typeof TREE_MODES]

/** A name in a directory and what it names. */
export interface TreeEntry {
  /** Well-formed, 1 to 255 bytes of UTF-8, without `/` and NUL, not `.` or `..`. */
  readonly name: string
  readonly mode: TreeMode
  /** The file or the directory. */
  readonly id: ContentId
  /** Bytes of content; of a directory the sum over its entries. */
  readonly size: number
}

const MAX_NAME_LENGTH = 255
/** The longest link that Linux makes; a longer one is no link that any system made. */
const MAX_SYMLINK_LENGTH = 4095
const MODES: ReadonlySet<unknown> = new Set(Object.values(TREE_MODES))

/** Why this cannot stand in a directory, or `undefined`. */
export function faultOfEntry({ name, mode, id, size }: TreeEntry): string | undefined {
  if (!MODES.has(mode)) return 'its mode is none of 100644, 100755, 120000 and 40000'
  if (!isBetween(size, 0)) return 'its size is no safe integer of at least 0'
  const isRaw = codecOf(id) === 'raw'
  if (mode === TREE_MODES.directory && isRaw) return 'it is a directory, and its object is raw'
  if (mode === TREE_MODES.symlink && !(isRaw && isBetween(size, 1, MAX_SYMLINK_LENGTH))) {
    return `it is a symbolic link, and its text is no raw block of 1 to ${MAX_SYMLINK_LENGTH} bytes`
  }
  if (isRaw && size > MAX_BLOCK_LENGTH) return 'it is one raw block, and longer than one may be'
  return faultOfName(name)
}

/** Why a name cannot stand in a directory, or `undefined`. Whoever joins names that passed stays below their folder. */
export function faultOfName(name: string): string | undefined {
  if (name === '') return 'its name is empty'
  if (name === '.' || name === '..') return 'its name is "." or ".."'
  if (/[/\0]/.test(name)) return 'its name has a "/" or a NUL'
  if (!name.isWellFormed()) return 'its name is not well-formed Unicode'
  if (utf8(name).length > MAX_NAME_LENGTH) return `its name is longer than ${MAX_NAME_LENGTH} bytes`
  return undefined
}

/** Order of names by their UTF-8 bytes, which is that of code points; comparing texts with `<` is not, above U+FFFF. */
export function compareNames(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = rank(a.charCodeAt(i)) - rank(b.charCodeAt(i))
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Moves the surrogates, which stand for what is above U+FFFF, behind U+FFFF. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x2800 : unit
}
