import type { AbortOptions, ContentId } from '@vault/core'
import type { FeedItem } from '@vault/soup'
import type { Connection } from './connection.ts'
import { feedAfter } from './feed.ts'
import { feedItem } from './feed-items.ts'
import type { Place } from './place.ts'
import { damagedRow, storeError } from './sqlite-error.ts'
import type { TenureRow } from './tenure-row.ts'
import { absentTenure, readTenure } from './tenure-row.ts'
import { nextTurn } from './turn.ts'

/** A page ends with the first change that brings it to this many items. */
const PAGE = 1000

/** The items after a cursor up to what is there when the first page is read. */
export async function* changePages(
  place: Place,
  vault: ContentId,
  after: number,
  options?: AbortOptions,
): AsyncGenerator<readonly FeedItem[]> {
  let until: number | undefined
  for (let cursor = after; until === undefined || cursor < until; ) {
    const from = cursor
    const { page, latest } = await place.read((db) => {
      const at = readTenure(db, vault) ?? absentTenure(vault)
      return { page: readPage(db, at, from), latest: at.tenure.sequence }
    }, options)
    until ??= latest
    cursor = page.at(-1)?.sequence ?? until
    if (page.length > 0) yield page
    await nextTurn()
  }
}

function readPage(db: Connection, at: TenureRow, after: number): readonly FeedItem[] {
  requireReach(at, after)
  const page: FeedItem[] = []
  let sequence = after
  for (const row of feedAfter(db, at.vault, after)) {
    if (row.sequence !== ++sequence) throw damagedRow('feed', String(sequence), 'it is missing')
    for (const item of row.items()) page.push(feedItem(item, sequence))
    if (page.length >= PAGE) break
  }
  if (page.length < PAGE && sequence < at.tenure.sequence)
    throw damagedRow('feed', String(sequence + 1), 'it is missing')
  return page
}

function requireReach({ oldest, tenure }: TenureRow, after: number): void {
  if (!Number.isSafeInteger(after) || after < 0) {
    throw storeError('SOUP_INVALID', `${after} is no sequence number.`, { details: {} })
  }
  const latest = tenure.sequence
  if (after >= oldest && after <= latest) return
  const message = `The feed reaches from ${oldest} to ${latest} and cannot go on from ${after}. Compare the whole vault instead.`
  throw storeError('SOUP_FEED_EXPIRED', message, { details: { after, oldest, latest } })
}
