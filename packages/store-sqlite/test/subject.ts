import type { ContentId } from '@vault/core'
import { contentId, utf8 } from '@vault/core'
import type { Entry, Member, SoupStore, VaultSoup } from '@vault/soup'
import { encodeEntry } from '@vault/soup'
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

/** A vault with the entry `path:old`, retired, that the migration `m1` receives over; with something of everything that goes with it. */
export async function receiveOver({ tenures, soup: soupOf }: SoupStore, vault: ContentId): Promise<VaultSoup> {
  const soup = soupOf(vault)
  const [active, quiesced] = [{ state: 'active', epoch: 0 } as const, { state: 'quiesced', epoch: 0 } as const]
  await tenures.transition(vault, { state: 'none', epoch: 0 }, active)
  await soup.commit({ epoch: 0, objects: { add: [object('old')] }, entries: { put: [named('old', 'old')] } })
  await tenures.transition(vault, active, { ...quiesced, migration: 'm0' })
  const evidence = utf8('evidence under test')
  await tenures.transition(vault, { ...quiesced, events: 0 }, { state: 'retired', epoch: 1, evidence })
  const receiving = { state: 'receiving', epoch: 1, migration: 'm1', driver: 7 } as const
  await tenures.transition(vault, { state: 'retired', epoch: 1 }, receiving)
  await soup.receive({
    migration: 'm1',
    driver: 7,
    objects: { add: [object('new')], remove: [idOf('old')] },
    entries: { put: [encodeEntry(named('new', 'new'))], remove: ['path:old'] },
    record: utf8('batch under test'),
  })
  return soup
}

/** Puts objects under charge and names for them, one of each for every text, and queues an event that is the first text. */
export function commitTexts(soup: VaultSoup, texts: readonly string[]): ReturnType<VaultSoup['commit']> {
  return soup.commit({
    epoch: 0,
    objects: { add: texts.map((text) => object(text)) },
    entries: { put: texts.map((text) => named(text, text)) },
    events: texts.slice(0, 1).map(utf8),
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
    held: await soup.held({ limit: 100_000 }),
    queued: await soup.queued({ limit: 100_000 }),
    batches: await soup.batches('m1', { after: 0, limit: 100_000 }),
  }
}
