import { readFileSync } from 'node:fs'
import type { TreeEntry, TreeMode } from '@vault/cas'
import {
  compareNames,
  createMemoryCas,
  fileBlocks,
  fileInfo,
  readFile,
  readTree,
  treeBlocks,
  writeBlocks,
} from '@vault/cas'
import type { ContentId, HashName } from '@vault/core'
import { codecOf, concatBytes, equalBytes, toHex } from '@vault/core'
import { describe, expect, it } from 'vitest'

interface Node {
  readonly id: ContentId
  readonly length: number
  readonly hex?: string
}

interface FileCase {
  readonly name: string
  readonly length: number
  readonly hash: HashName
  readonly chunk: number
  readonly id: ContentId
  readonly blake3: string
  readonly sha256: string
  readonly manifests: readonly Node[]
}

type Listed = Omit<TreeEntry, 'mode'> & { readonly mode: string }

interface TreeCase {
  readonly name: string
  readonly hash: HashName
  readonly id: ContentId
  readonly nodes: readonly Node[]
  readonly entries?: readonly Listed[]
  readonly numbered?: Omit<Listed, 'name'> & { readonly count: number }
}

interface Refusal {
  readonly name: string
  readonly id: ContentId
  readonly blocks: Readonly<Record<ContentId, string>>
  readonly code: string
}

function casesOf<Case>(path: string): readonly Case[] {
  const url = new URL(`../../../vectors/${path}`, import.meta.url)
  return (JSON.parse(readFileSync(url, 'utf8')) as { cases: readonly Case[] }).cases
}

async function storeOf({ blocks }: Refusal) {
  const store = createMemoryCas()
  const given = Object.entries(blocks).map(([id, hex]) => ({ id: id as ContentId, bytes: Buffer.from(hex, 'hex') }))
  await Array.fromAsync(store.putMany([given]))
  return store
}

function nodesOf(blocks: readonly { readonly id: ContentId; readonly bytes: Uint8Array }[]): readonly Node[] {
  return blocks
    .filter(({ id }) => codecOf(id) === 'dag-cbor')
    .map(({ id, bytes }) => ({ id, length: bytes.length, ...(bytes.length <= 1024 ? { hex: toHex(bytes) } : {}) }))
}

describe('the vectors of files', () => {
  it.each(casesOf<FileCase>('file/v1/valid.json'))('$name', async (each) => {
    const { length, hash, chunk, id, blake3, sha256, manifests } = each
    const bytes = Uint8Array.from({ length }, (_, i) => i % 251)
    const store = createMemoryCas()
    const content = { hash, chunker: { kind: 'fixed', size: chunk } } as const
    const blocks = (await Array.fromAsync(writeBlocks(store, fileBlocks([bytes], content)))).flatMap(
      (batch) => batch.blocks,
    )
    expect(blocks.at(-1)?.file).toEqual({ id, size: length })
    expect(nodesOf(blocks)).toEqual(manifests)
    const info = await fileInfo(store, id)
    expect([info.size, toHex(info.blake3), toHex(info.sha256)]).toEqual([length, blake3, sha256])
    expect(equalBytes(concatBytes(...(await Array.fromAsync(readFile(store, id)))), bytes)).toBe(true)
  })

  it.each(casesOf<Refusal>('file/v1/invalid.json'))('refused: $name', async (each) => {
    const reading = Array.fromAsync(readFile(await storeOf(each), each.id))
    await expect(reading).rejects.toMatchObject({ code: each.code })
  })
})

describe('the vectors of directories', () => {
  it.each(casesOf<TreeCase>('tree/v1/valid.json'))('$name', async ({ hash, id, nodes, entries = [], numbered }) => {
    const repeated = Array.from({ length: numbered?.count ?? 0 }, (_, i) => ({
      ...numbered,
      name: String(i).padStart(5, '0'),
    }))
    const given = [...entries, ...(repeated as readonly Listed[])]
      .map(({ name, mode, id: object, size }) => ({
        name,
        mode: Number.parseInt(mode, 8) as TreeMode,
        id: object,
        size,
      }))
      .sort((a, b) => compareNames(a.name, b.name))
    const store = createMemoryCas()
    const blocks = (await Array.fromAsync(writeBlocks(store, treeBlocks(given, { hash })))).flatMap(
      (batch) => batch.blocks,
    )
    expect(blocks.at(-1)?.id).toBe(id)
    expect(nodesOf(blocks)).toEqual(nodes)
    expect(await Array.fromAsync(readTree(store, id))).toEqual(given)
  })

  it.each(casesOf<Refusal>('tree/v1/invalid.json'))('refused: $name', async (each) => {
    const reading = Array.fromAsync(readTree(await storeOf(each), each.id))
    await expect(reading).rejects.toMatchObject({ code: each.code })
  })
})
