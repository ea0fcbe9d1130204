import type { Finding } from '@vault/core'
import { covers, meet } from './meet.ts'
import type { Tag } from './tag.ts'
import { ANY, isList, isSet } from './tag.ts'

/** The `code` of what is worth knowing before a tag is signed. None of it makes a certificate invalid. */
export type TagFindingCode =
  /** It grants everything. */
  | 'CAPS_TAG_EVERYTHING'
  /** A prefix with `/` in it that does not end with one: `/my` covers `/myPublic`. A path ends at a segment. */
  | 'CAPS_TAG_BARE_PREFIX'
  /** Several rules about one word: no other SPKI software has a form for it. */
  | 'CAPS_TAG_MIXED'
  /** It has nothing in common with what the issuer holds: the certificate would grant nothing. */
  | 'CAPS_TAG_INERT'
  /** It is more than the issuer holds: only what both grant will count. */
  | 'CAPS_TAG_EXCESS'

/** What may surprise whoever issues this tag; with `held`, also in the light of what the issuer holds. */
export function lintTag(tag: Tag, held: Tag = ANY): readonly Finding[] {
  const findings: Finding[] = []
  const say = (code: TagFindingCode, message: string) => findings.push({ code, message })
  if (tag === ANY) say('CAPS_TAG_EVERYTHING', 'It grants everything. Name actions and a path.')
  for (const part of partsOf(tag)) {
    if (typeof part === 'string') continue
    if ('prefix' in part && part.prefix.includes('/') && !part.prefix.endsWith('/')) {
      say('CAPS_TAG_BARE_PREFIX', `The prefix ${part.prefix} also covers ${part.prefix}Public. Use a path.`)
    }
    if ('all' in part) say('CAPS_TAG_MIXED', 'It mixes rules about one word, which other software cannot intersect.')
  }
  if (meet(held, tag) === undefined) say('CAPS_TAG_INERT', 'The issuer holds nothing of it, so it would grant nothing.')
  else if (!covers(held, tag)) say('CAPS_TAG_EXCESS', 'The issuer holds less, so only what both grant would count.')
  return findings
}

function partsOf(tag: Tag): readonly Tag[] {
  if (isList(tag)) return [tag, ...tag.slice(1).flatMap(partsOf)]
  if (isSet(tag)) return [tag, ...tag.set.flatMap(partsOf)]
  if (typeof tag === 'object' && 'all' in tag) return [tag, ...tag.all]
  return [tag]
}
