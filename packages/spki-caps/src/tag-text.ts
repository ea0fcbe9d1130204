import type { Range, Tag } from './tag.ts'
import { isList, isPath, isSet } from './tag.ts'

/** A tag for people: `(vault {migrate, read} bafy…/docs/)`. */
export function tagText(tag: Tag): string {
  if (typeof tag === 'string') return wordText(tag)
  if (isList(tag)) return `(${tag.map(tagText).join(' ')})`
  if (isSet(tag)) return `{${tag.set.map(tagText).join(', ')}}`
  if (isPath(tag)) return `${tag.path.map(wordText).join('/')}/`
  if ('prefix' in tag) return `${wordText(tag.prefix)}…`
  if ('range' in tag) return rangeText(tag.range)
  return tag.all.map(tagText).join(' & ')
}

function rangeText({ order, ge, gt, le, lt }: Range): string {
  const low = ge !== undefined ? `[${wordText(ge)}` : gt !== undefined ? `]${wordText(gt)}` : ']'
  const high = le !== undefined ? `${wordText(le)}]` : lt !== undefined ? `${wordText(lt)}[` : '['
  return `${order} ${low}..${high}`
}

/** Texts come from outside, and what they hold must not look like more than one, nor steer a terminal. */
function wordText(word: string): string {
  return /^[\w.:+@*-]+$/.test(word)
    ? word
    : JSON.stringify(word).replaceAll(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '?')
}
