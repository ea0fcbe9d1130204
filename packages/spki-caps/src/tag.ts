/**
 * What is granted or asked: a set of permissions, written so that two of them have a meet (see `meet`).
 *
 * A text is one word, except `*`, which is everything. A list begins with a word and restricts by position: the longer it
 * is, the less it grants. `set` is any of its members, `path` is all that lies at or below a path, segment by segment.
 * `prefix`, `range` and `all` stand for words: those that begin so, those within bounds, those that satisfy each of several
 * such rules.
 */
export type Tag = string | TagList | TagSet | TagPath | TagRule

export type TagList = readonly [head: string, ...rest: Tag[]]

/** At least two members, none of them `*`, a set, or covered by another; in the order of their bytes. */
export interface TagSet {
  readonly set: readonly Tag[]
}

/** At least one segment. A segment holds no `/` and is neither `.` nor `..`. */
export interface TagPath {
  readonly path: readonly string[]
}

/** Rules about one word. */
export type TagRule = TagPrefix | TagRange | TagAll

/** Words that begin so, character by character: `/my` covers `/myPublic`. For paths there is {@link TagPath}. */
export interface TagPrefix {
  readonly prefix: string
}

export interface TagRange {
  readonly range: Range
}

/** Two or more rules of different kinds, in the order prefix, alpha, numeric, time. */
export interface TagAll {
  readonly all: readonly (TagPrefix | TagRange)[]
}

/** How the words of a range are compared: as bytes of UTF-8, as whole numbers, as times `2026-02-01T00:00:00Z`. */
export type Ordering = 'alpha' | 'numeric' | 'time'

/** Bounds of words. A word that the ordering cannot compare lies in no range of it. `gt` and `lt` are for `alpha` alone. */
export interface Range {
  readonly order: Ordering
  readonly ge?: string
  readonly gt?: string
  readonly le?: string
  readonly lt?: string
}

/** Everything. The neutral element of `meet`. */
export const ANY = '*'

export function isList(tag: Tag): tag is TagList {
  return Array.isArray(tag)
}

export function isSet(tag: Tag): tag is TagSet {
  return typeof tag === 'object' && 'set' in tag
}

export function isPath(tag: Tag): tag is TagPath {
  return typeof tag === 'object' && 'path' in tag
}
