import { finished } from 'node:stream/promises'
import { promisify } from 'node:util'
import { constants, createZstdCompress, zstdCompressSync, zstdDecompress } from 'node:zlib'
import type { Bytes } from '@vault/core'
import { concatBytes, decode, encode, isLink, isVaultError, VaultError } from '@vault/core'
import { ByteReader } from './byte-reader.ts'
import type { TransferErrorCode } from './error.ts'
import type { FrameMemory } from './frame-memory.ts'

export { FrameMemory } from './frame-memory.ts'

/** A piece of a conversation between two machines: a value, and bytes beside it. */
export interface Frame {
  readonly value: unknown
  readonly body: Bytes
  /** The body may be anything from now on. Leaving it out loses no more than the memory's next use. */
  release(): void
}

/** Bounds of one frame, known before anything of it is kept. */
export interface FrameLimits {
  /** Value and body, uncompressed. */
  readonly maxBytes: number
  /** Values within the value. Default 262,144. */
  readonly maxItems?: number
  /** Where what comes is put, for those who release it. Default: memory of its own, no longer than the frame. */
  readonly memory?: FrameMemory
}

/** Flags, length as sent, length uncompressed, length of the value. */
const HEAD_LENGTH = 13
const PLAIN = 0
const ZSTD = 1

// A sample tells whether compressing pays: content is mostly compressed already, or not at all.
const SAMPLE = 16 * 1024
const WORTH = 0.9
// The fastest of the regular levels: on most networks a better one takes more time than it saves.
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

// Behind a buffer that is full another one is taken, and one of fewer bytes is refused.
const SPARE = constants.Z_MIN_CHUNK

const decompress = promisify(zstdDecompress)

const NOTHING: Bytes = new Uint8Array()

/**
 * The bytes of a frame, compressed where that pays. Fields that are `undefined` are left out, because no frame has them. The
 * format: formats/wire.md.
 */
export async function encodeFrame(value: unknown, body: readonly Uint8Array[] = []): Promise<Bytes> {
  return concatBytes(...(await frameParts(value, body)))
}

/** As {@link encodeFrame}, in parts, one after the other. The body is one of them where it goes as it is, and must not change then. */
export async function frameParts(
  value: unknown,
  body: readonly Uint8Array[] = [],
  memory?: FrameMemory,
): Promise<readonly Uint8Array[]> {
  const header = encode(withoutGaps(value), FAR)
  const plain = [header, ...body]
  const length = lengthOf(plain)
  const packed = await compressed(plain, length, memory)
  const head = new Uint8Array(HEAD_LENGTH)
  const view = new DataView(head.buffer)
  view.setUint8(0, packed === undefined ? PLAIN : ZSTD)
  view.setUint32(1, packed === undefined ? length : lengthOf(packed))
  view.setUint32(5, length)
  view.setUint32(9, header.length)
  return [head, ...(packed ?? plain)]
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0)
}

// What is written here was put together here; the reader sets the bounds.
const FAR = { maxBytes: 2 ** 30, maxItems: 2 ** 24 }

function withoutGaps(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || isLink(value)) return value
  if (Array.isArray(value)) return value.map(withoutGaps)
  const present = Object.entries(value).filter(([, part]) => part !== undefined)
  return Object.fromEntries(present.map(([name, part]) => [name, withoutGaps(part)]))
}

async function compressed(
  parts: readonly Uint8Array[],
  length: number,
  memory?: FrameMemory,
): Promise<readonly Uint8Array[] | undefined> {
  if (length < 512) return undefined
  const sample = filled(new Uint8Array(Math.min(length, SAMPLE)), parts)
  if (zstdCompressSync(sample, LEVEL).length > sample.length * WORTH) return undefined
  const plain = filled(memory?.take(length) ?? new Uint8Array(length), parts)
  const packed: Uint8Array[] = []
  // Into one buffer: by itself it takes 16 KiB at a time, and a turn of a thread for each.
  const stream = createZstdCompress({ ...LEVEL, chunkSize: length, pledgedSrcSize: length })
  stream.on('data', (part: Uint8Array) => packed.push(part))
  stream.end(plain)
  await finished(stream)
  memory?.give(plain)
  return lengthOf(packed) < length ? packed : undefined
}

/** As much of the parts as there is room for. */
function filled(into: Bytes, parts: readonly Uint8Array[]): Bytes {
  let at = 0
  for (const part of parts) {
    const piece = part.subarray(0, into.length - at)
    into.set(piece, at)
    at += piece.length
  }
  return into
}

/**
 * Reads frames one after the other, as far as they are asked for. Throws `TRANSFER_FRAME_INVALID` for what is no frame, ends in
 * the middle of one, or goes beyond the limits, before memory is taken for it.
 */
export async function* readFrames(chunks: AsyncIterable<Uint8Array>, limits: FrameLimits): AsyncGenerator<Frame> {
  const reader = new ByteReader(chunks)
  try {
    while (!(await reader.isAtEnd())) yield await readFrame(reader, limits)
  } finally {
    await reader.close()
  }
}

async function readFrame(reader: ByteReader, { maxBytes, maxItems = 262_144, memory }: FrameLimits): Promise<Frame> {
  const { offset } = reader
  const head = await reader.take(HEAD_LENGTH)
  if (head === undefined) throw invalid(offset, 'it ends in the middle')
  const view = new DataView(head.buffer, head.byteOffset)
  const [flags, sent, length, header] = [view.getUint8(0), view.getUint32(1), view.getUint32(5), view.getUint32(9)]
  if (flags !== PLAIN && flags !== ZSTD) throw invalid(offset, `its flags ${flags} are unknown`)
  if (length > maxBytes) throw invalid(offset, `it has ${length} bytes, and at most ${maxBytes} are taken`)
  if (flags === PLAIN ? sent !== length : sent >= length) throw invalid(offset, 'its lengths contradict each other')
  if (header === 0 || header > length) throw invalid(offset, 'its value is longer than itself')
  const bytes = memory?.take(sent) ?? new Uint8Array(sent)
  if ((await reader.take(sent, bytes)) === undefined) throw invalid(offset, 'it ends in the middle')
  const plain = flags === PLAIN ? bytes : await unpacked(bytes, length, offset)
  if (flags === ZSTD) memory?.give(bytes)
  let isLent = flags === PLAIN
  return {
    value: decoded(plain.subarray(0, header), { maxBytes, maxItems }, offset),
    body: length === header ? NOTHING : plain.subarray(header),
    release: () => {
      if (isLent) memory?.give(bytes)
      isLent = false
    },
  }
}

async function unpacked(bytes: Bytes, length: number, offset: number): Promise<Bytes> {
  const room = { maxOutputLength: length, chunkSize: length + SPARE }
  const plain = await decompress(bytes, room).catch((cause: unknown) => {
    throw invalid(offset, 'it does not decompress to the stated length', cause)
  })
  if (plain.length !== length) throw invalid(offset, 'it does not decompress to the stated length')
  return new Uint8Array(plain.buffer as ArrayBuffer, plain.byteOffset, plain.length)
}

function decoded(bytes: Uint8Array, limits: Required<Omit<FrameLimits, 'memory'>>, offset: number): unknown {
  try {
    return decode(bytes, limits)
  } catch (cause) {
    if (!isVaultError(cause)) throw cause
    throw invalid(offset, 'its value is no canonical DAG-CBOR within the limits', cause)
  }
}

function invalid(offset: number, why: string, cause?: unknown): VaultError<TransferErrorCode> {
  return new VaultError({
    code: 'TRANSFER_FRAME_INVALID',
    message: `A frame at byte ${offset} of a transfer cannot be read: ${why}. The other end speaks another protocol, or the connection was cut.`,
    details: { offset },
    cause,
  })
}
