import { addTo } from './add-to.ts'
import type { Tag } from './tag.ts'
import { ANY, isList, isPath, isSet } from './tag.ts'

/** Of a list so many items are looked at, of a path so many segments, and of a prefix so many characters: what is alike in them is told apart by comparing. */
const LOOKED_AT = 8

/**
 * Things by their tags, among which those are found quickly whose tag may cover another one. A tag that covers another has a word, the beginning of
 * a path or that of a prefix in common with it, and at the same place of a list. Of all that a tag has of those, it is kept by what the fewest others are
 * kept by; so it costs little where everything is of one vault, and where everything is the same action.
 */
export class TagIndex<Value> {
  readonly #byMark = new Map<string, Value[]>()

  add(tag: Tag, value: Value): void {
    let least: readonly string[] = [NO_MARK]
    let fewest = this.#most(least)
    for (const marks of marksOf(tag)) {
      const most = this.#most(marks)
      if (least[0] === NO_MARK || most < fewest) [least, fewest] = [marks, most]
    }
    for (const mark of least) addTo(this.#byMark, mark, value)
  }

  /** Whether it is so of any whose tag covers this one; it is asked of others as well. */
  someOver(tag: Tag, is: (value: Value) => boolean): boolean {
    return [NO_MARK, ...soughtOf(tag)].some((mark) => this.#byMark.get(mark)?.some(is) === true)
  }

  #most(marks: readonly string[]): number {
    return marks.reduce((most, mark) => Math.max(most, this.#byMark.get(mark)?.length ?? 0), 0)
  }
}

const NO_MARK = ''

/** Marks by any of which it is found: it is to be kept under all of these, or under all of those. */
function marksOf(tag: Tag): readonly (readonly string[])[] {
  if (!isList(tag)) return marksOfItem(tag)
  return itemsOf(tag).flatMap((item, i) => marksOfItem(item).map((marks) => marks.map((mark) => `${i}${mark}`)))
}

/** All marks of tags that may cover this one. */
function soughtOf(tag: Tag): readonly string[] {
  if (isSet(tag)) return soughtOf(tag.set[0] as Tag)
  if (!isList(tag)) return soughtOfItem(tag)
  return itemsOf(tag).flatMap((item, i) => soughtOfItem(item).map((mark) => `${i}${mark}`))
}

/** None where it is a list, or covers what has nothing in common. */
function marksOfItem(tag: Tag): readonly (readonly string[])[] {
  if (tag === ANY || isList(tag)) return []
  if (typeof tag === 'string') return [[`=${tag}`]]
  if (isPath(tag)) return [beginningsOf(tag.path).slice(-1)]
  if (isSet(tag)) {
    // Whatever covers another set has a member that covers the first one of it, by which it is looked for.
    const marks = tag.set.map((member) => marksOfItem(member)[0])
    return marks.includes(undefined) ? [] : [(marks as readonly (readonly string[])[]).flat()]
  }
  const prefix = prefixOf(tag)
  return prefix === undefined ? [] : [startsOf(prefix).slice(-1)]
}

function soughtOfItem(tag: Tag): readonly string[] {
  if (tag === ANY || isList(tag)) return []
  if (typeof tag === 'string') return [`=${tag}`, ...startsOf(tag)]
  if (isPath(tag)) return beginningsOf(tag.path)
  if (isSet(tag)) return soughtOfItem(tag.set[0] as Tag)
  return startsOf(prefixOf(tag) ?? '')
}

function itemsOf(list: readonly Tag[]): readonly Tag[] {
  return list.slice(0, LOOKED_AT)
}

/** What a path begins with, the shortest first. */
function beginningsOf(path: readonly string[]): readonly string[] {
  return path.slice(0, LOOKED_AT).map((_, i) => `/${path.slice(0, i + 1).join('/')}`)
}

/** What a text begins with, the shortest first. */
function startsOf(text: string): readonly string[] {
  return Array.from({ length: Math.min(text.length, LOOKED_AT) }, (_, i) => `^${text.slice(0, i + 1)}`)
}

function prefixOf(tag: Exclude<Tag, string>): string | undefined {
  if ('prefix' in tag) return tag.prefix
  return 'all' in tag ? tag.all.find((rule) => 'prefix' in rule)?.prefix : undefined
}
