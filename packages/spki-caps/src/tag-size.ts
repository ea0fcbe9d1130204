import type { Tag } from './tag.ts'
import { isList, isPath, isSet } from './tag.ts'

/** How many parts a tag may have: tags, heads of lists, segments of paths. */
export const MAX_PARTS: number = 1_024

/** How many members a set may have that holds anything but words: each is compared with each. */
export const MAX_MIXED_SET: number = 64

/** The parts of a tag. */
export function sizeOf(tag: Tag): number {
  if (isList(tag)) return tag.reduce<number>((size, item) => size + sizeOf(item), 1)
  if (isSet(tag)) return tag.set.reduce<number>((size, member) => size + sizeOf(member), 1)
  if (isPath(tag)) return 1 + tag.path.length
  return typeof tag === 'object' && 'all' in tag ? 1 + tag.all.length : 1
}
