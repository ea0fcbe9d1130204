import type { ContentId } from '@vault/core'
import { contentId, utf8 } from '@vault/core'
import type { Entry, Member, SoupStore, VaultSoup } from '@vault/soup'
import { openSqliteSoupStore } from '../src/index.ts'

export const VAULT: ContentId = idOf('vault')

export function idOf(text: string): ContentId {
  return contentId(utf8(text))
}

/** The object that is the text. */
export function object(text: string, ...links: readonly string[]): Member {
  return { id: idOf(text), size: utf8(text).length, links: links.map(idOf) }
}

/** The entry that gives the object of a text a name. */
export function named(path: string, text: string): Entry {
  return { key: `path:${path}`, type: 'path', object: idOf(text), fields: { note: `about ${path}` } }
}

/** Makes the file, with an active vault in it. */
export async function createStore(path: string): Promise<SoupStore> {
  const store = await openSqliteSoupStore({ path, mode: 'create' })
  await store.tenures.transition(VAULT, { state: 'none', epoch: 0 }, { state: 'active', epoch: 0 })
  return store
}

/** Puts objects under charge and names for them, one of each for every text. */
export function commitTexts(soup: VaultSoup, texts: readonly string[]): ReturnType<VaultSoup['commit']> {
  return soup.commit({
    epoch: 0,
    objects: { add: texts.map((text) => object(text)) },
    entries: { put: texts.map((text) => named(text, text)) },
  })
}

/** Everything a vault shows, for comparing. */
export async function everything(soup: VaultSoup): Promise<unknown> {
  const { oldest } = await soup.feed()
  return {
    tenure: await soup.tenure(),
    changes: (await Array.fromAsync(soup.changes(oldest))).flat(),
    members: await soup.members({ limit: 100_000 }),
    entries: await soup.entriesAfter({ limit: 100_000 }),
    counts: await soup.view(async ({ counts }) => counts),
  }
}
