import type { Bytes, ContentId } from '@vault/core'
import { contentId, toHex, utf8 } from '@vault/core'
import { assertRejects, assertSame } from '@vault/core/testing'
import type { Entry } from '../entry.ts'
import type { Change, Committed, Member, SoupView } from '../soup.ts'
import type { SoupStore, VaultSoup } from '../soup-store.ts'

/** The vault of every case. */
export const VAULT: ContentId = idOf('vault')
export const OTHER_VAULT: ContentId = idOf('another vault')

/** The id of an object that is the text. */
export function idOf(text: string): ContentId {
  return contentId(utf8(text))
}

/** The object that is the text, made of the objects of these texts. */
export function object(text: string, ...links: readonly string[]): Member {
  return { id: idOf(text), size: utf8(text).length, links: links.map(idOf) }
}

/** The entry that gives the object of a text a name. */
export function named(path: string, text: string, fields: Entry['fields'] = {}): Entry {
  return { key: `path:${path}`, type: 'path', object: idOf(text), fields }
}

/** The soup of an active vault in epoch 0, empty. */
export async function activeSoup(store: SoupStore): Promise<VaultSoup> {
  await store.tenures.transition(VAULT, { state: 'none', epoch: 0 }, { state: 'active', epoch: 0 })
  return store.soup(VAULT)
}

/** The soup of a vault that the migration `m1` is writing. */
export async function receivingSoup(store: SoupStore): Promise<VaultSoup> {
  await store.tenures.transition(VAULT, { state: 'none', epoch: 0 }, { state: 'receiving', epoch: 0, migration: 'm1' })
  return store.soup(VAULT)
}

export function commit(soup: VaultSoup, change: Omit<Change, 'epoch'>): Promise<Committed> {
  return soup.commit({ epoch: 0, ...change })
}

export async function put(soup: VaultSoup, ...entries: readonly Entry[]): Promise<Committed> {
  return await commit(soup, { entries: { put: entries } })
}

export async function add(soup: VaultSoup, ...members: readonly Member[]): Promise<Committed> {
  return await commit(soup, { objects: { add: members } })
}

/** All items of all pages. */
export async function all<Item>(pages: AsyncIterable<readonly Item[]>): Promise<readonly Item[]> {
  const items: Item[] = []
  for await (const page of pages) items.push(...page)
  return items
}

export async function historyOf(soup: VaultSoup, key: string): Promise<readonly Entry[]> {
  return await Array.fromAsync(soup.history(key))
}

/** Bytes given out, from a page of a key table. */
export function rows(bytes: Bytes | undefined): readonly Bytes[] {
  return Array.from({ length: (bytes?.length ?? 0) / 32 }, (_, i) => (bytes as Bytes).slice(i * 32, i * 32 + 32))
}

/** Throws unless both are the same; the order in which an object names its members is no difference. */
export function assertEqual(actual: unknown, expected: unknown, message: string): void {
  assertSame(sorted(actual), sorted(expected), message)
}

function sorted(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${toHex(value)}`
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return members.map(([name, member]) => [name, sorted(member)])
}

/** Everything a vault shows, for comparing before and after. */
export async function everything(soup: VaultSoup): Promise<unknown> {
  const limit = 10_000
  return {
    tenure: await soup.tenure(),
    feed: await soup.feed(),
    changes: await all(soup.changes((await soup.feed()).oldest)),
    members: await soup.members({ limit }),
    entries: await soup.entriesAfter({ limit }),
    counts: await soup.view(async ({ counts, sequence }) => ({ counts, sequence })),
    held: await soup.held({ limit }),
    queued: await soup.queued({ limit }),
  }
}

/** Throws unless the act is refused with this code and has changed nothing. */
export async function assertRefuses(
  soup: VaultSoup,
  act: () => Promise<unknown>,
  code: string,
  message: string,
): Promise<void> {
  const before = await everything(soup)
  await assertRejects(act(), code, message)
  assertEqual(await everything(soup), before, `${message}: nothing has changed`)
}

/** What a view of the whole vault shows of a table. */
export async function tableOf(view: SoupView, table: 'objects' | 'entries'): Promise<unknown> {
  const { count, keys, values } = await view[table].scan({ prefix: '', limit: 10_000 })
  return { count, keys: rows(keys), values: rows(values) }
}
