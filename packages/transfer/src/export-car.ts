import type { Block, BulkCasReader, CasErrorCode, LinkedBlock } from '@vault/cas'
import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { concatBytes, ID_LENGTH, idBytes, objectKey, VaultError } from '@vault/core'
import type { SoupReader } from '@vault/soup'
import { incompleteCar, tooLargeCar } from './car-error.ts'
import { encodeHeader } from './car-header.ts'
import { closureOf } from './closure.ts'
import { encodeVarint } from './varint.ts'

/** Where a CAR is written from. The content store is not trusted; the soup says what links to what. */
export interface CarSource {
  readonly objects: BulkCasReader
  readonly soup: SoupReader
}

export interface ExportCarOptions extends AbortOptions {
  /** Blocks that the roots lead to and no store has, such as trees made for the occasion: what one links to before it. */
  readonly added?: readonly LinkedBlock[]
}

/** An import takes no more by default, and the ids of what was written are in memory: some 100 bytes each. */
const MAX_BLOCKS = 4_194_304
const PAGE = 1_024
const GROUP_BYTES = 8 * 1024 * 1024
const GROUP_BLOCKS = 4_096

/**
 * A CAR of version 1: the roots, then everything they lead to, each block once, depth first, what a block links to before
 * it. The order depends on nothing but the roots and the blocks, so equal content gives equal bytes. Whoever leaves the
 * loop, or meets an error, has the beginning of a CAR and no CAR.
 *
 * Throws `RangeError` without roots; `TRANSFER_CAR_INCOMPLETE` for what is not under charge, `CAS_MISSING` and
 * `CAS_CORRUPT` for what the store cannot give, `TRANSFER_CAR_TOO_LARGE` beyond 4,194,304 blocks.
 */
export async function* exportCar(
  source: CarSource,
  roots: readonly ContentId[],
  options: ExportCarOptions = {},
): AsyncGenerator<Bytes> {
  const { added = [], signal } = options
  signal?.throwIfAborted()
  if (roots.length === 0) throw new RangeError('A CAR needs at least one root.')
  yield encodeHeader([...new Set(roots)])
  const own = new Map(added.map((block) => [block.id, block]))
  const kept = new Set([...roots, ...added.flatMap(({ links }) => links)].filter((id) => !own.has(id)))
  const written = new Set<ContentId>()
  for await (const window of closureOf(source.soup, [...kept], { signal })) {
    const fresh = window.filter((id) => !written.has(id))
    if (written.size + fresh.length + own.size > MAX_BLOCKS) throw tooLargeCar('it would have more blocks', MAX_BLOCKS)
    for (const id of fresh) written.add(id)
    for await (const group of groupsOf(source.soup, fresh, { signal })) {
      yield sectionsOf(await readGroup(source.objects, group, { signal }))
    }
  }
  for (const block of own.values()) yield sectionsOf([block])
}

/** Ids in order, in groups that are read at once. Throws `TRANSFER_CAR_INCOMPLETE`. */
async function* groupsOf(
  soup: SoupReader,
  ids: readonly ContentId[],
  options: AbortOptions,
): AsyncGenerator<readonly ContentId[]> {
  let group: ContentId[] = []
  let bytes = 0
  for (let from = 0; from < ids.length; from += PAGE) {
    const page = ids.slice(from, from + PAGE)
    const members = await soup.membersByKey(page.map(objectKey), options)
    const sizes = new Map(members.map(({ id, size }) => [id, size]))
    const absent = page.filter((id) => !sizes.has(id))
    if (absent[0] !== undefined) throw notCharged(absent[0], absent.length)
    for (const id of page) {
      const size = sizes.get(id) as number
      if (group.length === GROUP_BLOCKS || (group.length > 0 && bytes + size > GROUP_BYTES)) {
        yield group
        group = []
        bytes = 0
      }
      group.push(id)
      bytes += size
    }
  }
  if (group.length > 0) yield group
}

/** The blocks in the order of the ids, whatever order the store reads in. Throws `CAS_MISSING`, `CAS_CORRUPT`. */
async function readGroup(
  objects: BulkCasReader,
  ids: readonly ContentId[],
  options: AbortOptions,
): Promise<readonly Block[]> {
  const blocks = new Map<ContentId, Block>()
  const damaged = new Set<ContentId>()
  for await (const piece of objects.getMany([ids], options)) {
    for (const block of piece.blocks) blocks.set(block.id, block)
    for (const id of piece.damaged) damaged.add(id)
  }
  return ids.map((id) => {
    const block = blocks.get(id)
    if (block !== undefined) return block
    throw unreadable(id, damaged.has(id))
  })
}

function sectionsOf(blocks: readonly Block[]): Bytes {
  const parts = blocks.flatMap(({ id, bytes }) => [encodeVarint(ID_LENGTH + bytes.length), idBytes(id), bytes])
  return concatBytes(...parts)
}

function notCharged(id: ContentId, missing: number): VaultError {
  const message = `${id} is not under charge, so what it leads to is not known. Export what the vault holds; if it was removed meanwhile, export again.`
  return incompleteCar(message, id, missing)
}

function unreadable(id: ContentId, damaged: boolean): VaultError {
  return new VaultError<CasErrorCode>({
    code: damaged ? 'CAS_CORRUPT' : 'CAS_MISSING',
    message: `Object ${id} ${damaged ? 'has stored bytes that are not what its id names' : 'has no bytes in the store'}. Restore it from a replica or a backup, then export again.`,
    details: { id },
  })
}
