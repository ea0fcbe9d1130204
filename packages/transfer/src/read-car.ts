import { type Block, type LinkedBlock, linksOf, MAX_BLOCK_LENGTH } from '@vault/cas'
import { type AbortOptions, type ContentId, codecOf, ID_LENGTH, matchesId, VaultError } from '@vault/core'
import type { ByteReader } from './byte-reader.ts'
import { sectionId } from './car-cid.ts'
import { invalidCar, tooLargeCar } from './car-error.ts'
import { decodeHeader, MAX_HEADER_LENGTH } from './car-header.ts'
import type { TransferErrorCode } from './error.ts'

/** Room for the CID before a block: with it a foreign one, whose hash may be longer, is refused for what it is. */
const MAX_SECTION_LENGTH = MAX_BLOCK_LENGTH + 128

/** The roots that a CAR states, read from its beginning. Throws `TRANSFER_CAR_INVALID`, `TRANSFER_CAR_FOREIGN`, `TRANSFER_CAR_TOO_LARGE`. */
export async function readCarHeader(reader: ByteReader): Promise<readonly ContentId[]> {
  if (await reader.isAtEnd()) throw invalidCar('it is empty', { offset: 0 })
  return decodeHeader(await section(reader, 'header', MAX_HEADER_LENGTH))
}

/**
 * The blocks of a CAR after its header, as they come: each hashed, in canonical form where it is dag-cbor, with its links.
 * One may come twice. Throws `TRANSFER_CAR_INVALID`, `TRANSFER_CAR_FOREIGN`, `TRANSFER_CAR_TOO_LARGE`,
 * `TRANSFER_CAR_MISMATCH`.
 */
export async function* readCarBlocks(reader: ByteReader, options: AbortOptions): AsyncGenerator<LinkedBlock> {
  while (!(await reader.isAtEnd())) {
    options.signal?.throwIfAborted()
    const { offset } = reader
    const bytes = await section(reader, 'section', MAX_SECTION_LENGTH)
    yield linked(blockOf(bytes, offset), offset)
  }
}

async function section(reader: ByteReader, what: 'header' | 'section', limit: number): Promise<Uint8Array> {
  const { offset } = reader
  const length = await reader.varint()
  if (length === undefined) throw invalidCar(`it ends in the length of a ${what}`, { offset })
  if (length === 'invalid' || length === 0)
    throw invalidCar(`the length of a ${what} is no number from 1 on in its shortest form`, { offset })
  if (length > limit) throw tooLargeCar(`at byte ${offset} it says that a ${what} is ${length} bytes long`, limit)
  const bytes = await reader.take(length)
  if (bytes === undefined) throw invalidCar(`it ends in a ${what} of ${length} bytes`, { offset })
  return bytes
}

function blockOf(section: Uint8Array, offset: number): Block {
  const id = sectionId(section, offset)
  const bytes = section.subarray(ID_LENGTH)
  if (bytes.length > MAX_BLOCK_LENGTH)
    throw tooLargeCar(`its block ${id} is ${bytes.length} bytes long`, MAX_BLOCK_LENGTH)
  if (matchesId(id, bytes)) return { id, bytes }
  throw new VaultError<TransferErrorCode>({
    code: 'TRANSFER_CAR_MISMATCH',
    message: `The CAR is refused: the ${bytes.length} bytes that it gives as ${id} are not what this id names. It is damaged or forged; get it again, or from another source.`,
    details: { id },
  })
}

function linked(block: Block, offset: number): LinkedBlock {
  if (codecOf(block.id) === 'raw') return { ...block, links: [] }
  try {
    return { ...block, links: linksOf(block) }
  } catch (cause) {
    throw invalidCar(
      `its block ${block.id} is not canonical DAG-CBOR, or links to what no vault holds`,
      { offset, id: block.id },
      cause,
    )
  }
}
