import { randomBytes } from 'node:crypto'
import { encode, isVaultError } from '@vault/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeFrame, type Frame, FrameMemory, frameParts, readFrames } from '../src/frame.ts'

const LIMITS = { maxBytes: 1024 * 1024 }

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}

async function read(bytes: Uint8Array, size = 7, limits = LIMITS): Promise<Frame[]> {
  return await Array.fromAsync(readFrames(inPieces(bytes, size), limits))
}

const anyValue = fc.oneof(fc.constant(null), fc.integer(), fc.string(), fc.dictionary(fc.string(), fc.integer()))
const anyBody = fc.oneof(
  fc.uint8Array({ maxLength: 2_000 }),
  // What can be compressed.
  fc.record({ byte: fc.nat(255), length: fc.nat(40_000) }).map(({ byte, length }) => new Uint8Array(length).fill(byte)),
)

test('what is written is read, in pieces of any size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(anyValue, anyBody), { maxLength: 4 }),
      fc.integer({ min: 1, max: 5_000 }),
      async (frames, size) => {
        const written = await Promise.all(frames.map(([value, body]) => encodeFrame(value, [body])))
        const back = await read(Buffer.concat(written), size)
        expect(back.map(({ value }) => encode(value))).toEqual(frames.map(([value]) => encode(value)))
        expect(back.map(({ body }) => Buffer.from(body))).toEqual(frames.map(([, body]) => Buffer.from(body)))
      },
    ),
  )
})

test('content that compresses is sent shorter, and content that does not is sent as it is', async () => {
  const random = crypto.getRandomValues(new Uint8Array(60_000))
  expect((await encodeFrame(null, [new Uint8Array(60_000)])).length).toBeLessThan(1_000)
  expect((await encodeFrame(null, [random])).length).toBe(60_000 + 14)
})

test('memory is used again when it is given back, and not before', async () => {
  const memory = new FrameMemory()
  const bodies = [1, 2, 3].map(() => new Uint8Array(randomBytes(70_000)))
  const next = async (body: Uint8Array) => {
    const sent = Buffer.concat(await frameParts(null, [body.subarray(0, 100), body.subarray(100)], memory))
    const [frame] = await Array.fromAsync(readFrames(inPieces(sent, 9_999), { ...LIMITS, memory }))
    return frame as Frame
  }
  // Not by `toEqual`, which takes minutes to show how two of them differ.
  const isBody = (frame: Frame, i: number) => Buffer.from(frame.body).equals(bodies[i] as Uint8Array)
  const [first, second] = [await next(bodies[0] as Uint8Array), await next(bodies[1] as Uint8Array)]
  // What is compressed is put together, and decompressed from, such memory.
  const zeros = await next(new Uint8Array(100_000))
  expect([isBody(first, 0), isBody(second, 1), zeros.body.every((byte) => byte === 0)]).toEqual([true, true, true])
  first.release()
  // Once is enough, and twice does not give it to two.
  first.release()
  const third = await next(bodies[2] as Uint8Array)
  expect([isBody(third, 2), third.body.buffer === first.body.buffer, isBody(second, 1)]).toEqual([true, true, true])
  const fourth = await next(bodies[0] as Uint8Array)
  expect([isBody(third, 2), isBody(fourth, 0)]).toEqual([true, true])
})

test('without such memory a frame takes no more than it has', async () => {
  const body = new Uint8Array(randomBytes(70_000))
  const [frame] = await read(await encodeFrame(null, [body]))
  expect(frame?.body.buffer.byteLength).toBe(70_001)
})

test('fields that are undefined are left out', async () => {
  const frame = await encodeFrame({ a: 1, b: undefined, c: [{ d: undefined }] })
  expect((await read(frame))[0]?.value).toEqual({ a: 1, c: [{}] })
})

test('any change of a byte, and any end in the middle, is refused or gives another frame: never anything else', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyValue,
      anyBody,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      async (value, body, at, flip, cut) => {
        const frame = await encodeFrame(value, [body])
        const place = at % frame.length
        if (cut) {
          if (place === 0) return
          await expect(read(frame.subarray(0, place), 4_096)).rejects.toMatchObject({ code: 'TRANSFER_FRAME_INVALID' })
          return
        }
        const harmed = frame.slice()
        harmed[place] = (harmed[place] as number) ^ flip
        const outcome = await read(harmed, 4_096).catch((error: unknown) => error)
        if (outcome instanceof Error) expect(isVaultError(outcome, 'TRANSFER_FRAME_INVALID')).toBe(true)
      },
    ),
  )
})

test('what is longer than the limits is refused by its first bytes', async () => {
  const head = (await encodeFrame(null, [new Uint8Array(2_000_000)])).subarray(0, 13)
  const endless = async function* () {
    yield head
    throw new Error('more was asked for')
  }
  await expect(Array.fromAsync(readFrames(endless(), LIMITS))).rejects.toMatchObject({ code: 'TRANSFER_FRAME_INVALID' })
  const many = await encodeFrame(Array.from({ length: 2_000 }, () => 0))
  await expect(read(many, 64, { ...LIMITS, maxItems: 1_000 } as typeof LIMITS)).rejects.toMatchObject({
    code: 'TRANSFER_FRAME_INVALID',
  })
})
