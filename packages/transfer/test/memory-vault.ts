import type { Block } from '@vault/cas'
import { createMemoryCas, linksOf, type MemoryCas } from '@vault/cas'
import {
  type Bytes,
  type ContentId,
  contentId,
  createInception,
  createKeyEvent,
  createSigner,
  encode,
  encodeEnvelope,
  type Founding,
  hashBytes,
  inceptionPayload,
  link,
  type Signer,
  utf8,
  verifyKeyHistory,
} from '@vault/core'
import { createMemorySoupStore, type Entry, type SoupStore, type VaultSoup } from '@vault/soup'

/** A vault in memory. */
export interface MemoryVault {
  readonly vault: ContentId
  readonly objects: MemoryCas
  readonly store: SoupStore
  readonly soup: VaultSoup
}

export function emptyPlace(vault: ContentId): MemoryVault {
  const store = createMemorySoupStore()
  return { vault, objects: createMemoryCas(), store, soup: store.soup(vault) }
}

/** One key has every role. */
function foundingOf(name: string): { readonly founding: Founding; readonly signer: Signer } {
  const seed = hashBytes('sha2-256', utf8(name))
  const signer = createSigner(seed)
  const role = { keys: [signer.key], threshold: 1 }
  const roles = { identity: role, operators: role, log: role }
  return { founding: { roles, nonce: seed.slice(0, 16), at: new Date('2026-01-01') }, signer }
}

export function vaultId(name: string): ContentId {
  return contentId(inceptionPayload(foundingOf(name).founding), { hash: 'sha2-256', codec: 'dag-cbor' })
}

/** The first so many key events of a vault. */
export async function keyEventsOf(name: string, count: number): Promise<readonly Bytes[]> {
  const { founding, signer } = foundingOf(name)
  const { roles, at } = founding
  const envelopes = [await createInception(founding, [signer])]
  while (envelopes.length < count) {
    const history = verifyKeyHistory(envelopes)
    envelopes.push(await createKeyEvent({ history, why: 'rotate', roles, at }, [signer]))
  }
  return envelopes.map(encodeEnvelope)
}

export async function activeVault(name: string): Promise<MemoryVault> {
  const place = emptyPlace(vaultId(name))
  const keyEvents = await keyEventsOf(name, 1)
  await place.store.tenures.transition(
    place.vault,
    { state: 'none', epoch: 0 },
    { state: 'active', epoch: 0, keyEvents },
  )
  return place
}

/** An empty vault that receives for the migration `m`. */
export async function receivingVault(name: string): Promise<MemoryVault> {
  const place = emptyPlace(vaultId(name))
  const to = { state: 'receiving', epoch: 0, migration: 'm' } as const
  await place.store.tenures.transition(place.vault, { state: 'none', epoch: 0 }, to)
  return place
}

export function rawBlock(text: string): Block {
  const bytes = utf8(text)
  return { id: contentId(bytes), bytes }
}

export function linkingBlock(name: string, ids: readonly ContentId[]): Block {
  const bytes = encode({ name, links: ids.map(link) })
  return { id: contentId(bytes, { codec: 'dag-cbor' }), bytes }
}

export function pathEntry(name: string, object: ContentId, fields: Entry['fields'] = {}): Entry {
  return { key: `path:${name}`, type: 'path', object, fields }
}

/** Stores blocks and takes them under charge, with entries, in one change. */
export async function commit(
  { objects, soup }: MemoryVault,
  blocks: readonly Block[],
  entries: readonly Entry[] = [],
): Promise<void> {
  for await (const _ of objects.putMany([blocks]));
  const add = blocks.map((block) => ({ id: block.id, size: block.bytes.length, links: linksOf(block) }))
  const { epoch } = await soup.tenure()
  await soup.commit({ epoch, objects: { add }, entries: { put: entries } })
}

/** Commits so many small objects, each with a path. */
export async function fill(vault: MemoryVault, count: number, prefix = 'file'): Promise<readonly Block[]> {
  const blocks = Array.from({ length: count }, (_, i) => rawBlock(`${prefix} ${i}`))
  await commit(
    vault,
    blocks,
    blocks.map(({ id }, i) => pathEntry(`${prefix}-${i}`, id)),
  )
  return blocks
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(items)
}
