import { contentId } from '@vault/core'
import { encodeFrame } from '@vault/transfer/frame'
import { mutate } from './mutate.ts'
import { mutateValue } from './mutate-value.ts'
import type { RecordedRequest } from './recorded-requests.ts'
import type { SeededNumbers } from './seeded-numbers.ts'

/** A request that was taken apart. */
export interface KnownRequest extends RecordedRequest {
  readonly frames: readonly { readonly value: unknown; readonly body: Uint8Array }[]
}

/** What is put on the wire. */
export interface Wired {
  readonly kind: string
  readonly bytes: Uint8Array
  /** How many answers have to come. */
  readonly answers: number
  /** It may be no whole request: nothing follows, and the connection is closed behind it. */
  readonly ends: boolean
}

interface Parts {
  readonly numbers: SeededNumbers
  readonly all: readonly KnownRequest[]
  /** Bodies that are short and say that they are long. */
  readonly bombs: readonly Uint8Array[]
}

const KINDS = [
  'value',
  'value',
  'value',
  'body',
  'body',
  'cut',
  'twice',
  'head',
  'type',
  'path',
  'path',
  'method',
] as const
const HARSH = ['headers', 'length', 'chunks', 'junk', 'pipelined', 'bomb'] as const
const METHODS = [
  'GET',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'PROPFIND',
  'HEAD',
  'CONNECT',
  'post',
  'P\u0000ST',
  '',
]
const TYPES = [
  'application/json',
  'text/plain',
  'application/vnd.ipld.car',
  'multipart/form-data; boundary=',
  '',
  'x'.repeat(500),
]
const FRAMES = 'application/vnd.vault.frames'

/** A request with something wrong about it; some of these turn out to be good ones. */
export async function mutateRequest(request: KnownRequest, parts: Parts): Promise<Wired> {
  const { numbers } = parts
  const kind = numbers.below(4) === 0 ? pick(HARSH, numbers) : pick(KINDS, numbers)
  return { kind, ...(await wired(kind, request, parts)) }
}

type Kind = (typeof KINDS)[number] | (typeof HARSH)[number]

async function wired(kind: Kind, { path, body, frames }: KnownRequest, parts: Parts): Promise<Omit<Wired, 'kind'>> {
  const { numbers, all, bombs } = parts
  switch (kind) {
    case 'value': {
      const at = numbers.below(frames.length)
      const others = pick(all, numbers).frames.map(({ value }) => value)
      const changed = await Promise.all(
        frames.map((frame, i) => {
          return encodeFrame(i === at ? mutateValue(frame.value, others, numbers) : frame.value, [frame.body])
        }),
      )
      return whole({ path, body: Buffer.concat(changed) })
    }
    case 'body':
      return whole({ path, body: mutate(body, numbers) })
    case 'cut':
      return whole({ path, body: body.subarray(0, numbers.below(body.length + 1)) })
    case 'twice':
      return whole({ path, body: Buffer.concat([body, numbers.below(2) === 0 ? body : pick(all, numbers).body]) })
    case 'head':
      return whole({ path, body: withWrongLengths(body, numbers) })
    case 'type':
      return whole({ path, body, type: pick(TYPES, numbers) })
    case 'path':
      return whole({ path: wildPath(path, parts), body })
    case 'method':
      return { ...whole({ path, body, method: pick(METHODS, numbers) }), ends: true }
    case 'bomb':
      // Each keeps the other end busy for long, so they are few.
      return whole({ path, body: numbers.below(20) === 0 ? pick(bombs, numbers) : withWrongLengths(body, numbers) })
    case 'headers':
      return { ...whole({ path, body, more: wildHeaders(numbers) }), ends: true }
    case 'length':
      return { ...whole({ path, body, length: wildLength(body.length, numbers) }), ends: true }
    case 'chunks':
      return {
        ...whole({ path, body: inChunks(body, numbers), more: 'transfer-encoding: chunked\r\n', length: '' }),
        ends: true,
      }
    case 'pipelined': {
      const [first, second] = [whole({ path, body }), whole(pick(all, numbers))]
      const behind = numbers.below(2) === 0 ? second.bytes : numbers.bytes(1 + numbers.below(600))
      return { bytes: Buffer.concat([first.bytes, behind]), answers: 1, ends: true }
    }
    case 'junk': {
      const { bytes } = whole({ path, body })
      return {
        bytes: numbers.below(2) === 0 ? mutate(bytes, numbers) : numbers.bytes(1 + numbers.below(3_000)),
        answers: 0,
        ends: true,
      }
    }
  }
}

function whole({
  path,
  body,
  method = 'POST',
  type = FRAMES,
  more = '',
  length = `content-length: ${body.length}\r\n`,
}: Pick<RecordedRequest, 'path' | 'body'> & {
  readonly method?: string
  readonly type?: string
  readonly more?: string
  readonly length?: string
}): Omit<Wired, 'kind'> {
  const head = `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: ${type}\r\n${more}${length}\r\n`
  return { bytes: Buffer.concat([Buffer.from(head, 'latin1'), body]), answers: 1, ends: false }
}

function withWrongLengths(body: Uint8Array, { below }: SeededNumbers): Uint8Array {
  const changed = Buffer.from(body)
  if (changed.length < 13) return changed
  const lengths = [0, 1, changed.length, 8 * 2 ** 20, 96 * 2 ** 20, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]
  if (below(4) === 0) changed[0] = below(3) === 0 ? 1 : below(256)
  for (const at of [1, 5, 9]) if (below(2) === 0) changed.writeUInt32BE(lengths[below(lengths.length)] as number, at)
  return changed
}

function wildPath(path: string, { numbers, all }: Parts): string {
  const [, vaults, vault = '', side, name = ''] = path.split('/')
  const other = pick(all, numbers).path.split('/')
  const made = contentId(numbers.bytes(8))
  const wild = [
    `/${vaults}/${vault}/${side}/${other[4]}`,
    `/${vaults}/${other[2]}/${side}/${name}`,
    `/${vaults}/${made}/${side}/${name}`,
    `/${vaults}/${vault}/${side === 'source' ? 'target' : 'source'}/${name}`,
    `/${vaults}/${vault}/${side}/__proto__`,
    `/${vaults}/${vault}/${side}/constructor`,
    `/${vaults}/${vault}/${side}/${name}?${name}=1#x`,
    `//${vaults}/../${vaults}/${vault}//${side}/${name}`,
    `/${vaults}/${vault.toUpperCase()}/${side}/${name}`,
    `/${vaults}/${vault}/${side}/%00${name}`,
    `https://127.0.0.1${path}`,
    '/vaults',
    '/openapi.json',
    '*',
    `/${'x'.repeat(numbers.below(7_000))}`,
    Buffer.from(mutate(Buffer.from(path), numbers))
      .toString('latin1')
      .replaceAll(/[^!-~]/g, '_') || '/',
  ]
  return pick(wild, numbers)
}

function wildHeaders(numbers: SeededNumbers): string {
  const { below } = numbers
  const wild = [
    'expect: 100-continue\r\n',
    'expect: something\r\n',
    'upgrade: websocket\r\nconnection: upgrade\r\n',
    'connection: close\r\n',
    'transfer-encoding: chunked\r\n',
    'transfer-encoding: gzip\r\n',
    'content-encoding: zstd\r\n',
    'content-length: 5\r\n',
    'host: elsewhere\r\n',
    'x: \u0000\r\n',
    `x: ${'y'.repeat(below(12_000))}\r\n`,
    'x: y\r\n'.repeat(below(200)),
    ': nothing\r\n',
    'x y: z\r\n',
    'x: y\n',
    ' folded\r\n',
    'range: bytes=0-1\r\nif-match: "x"\r\n',
  ]
  return pick(wild, numbers)
}

function wildLength(length: number, numbers: SeededNumbers): string {
  const values = [
    -1,
    0,
    length - 1,
    length + 1,
    2 ** 31,
    2 ** 53,
    1e30,
    '0x10',
    '',
    `${length}, ${length}`,
    `+${length}`,
    `00${length}`,
  ]
  return pick([...values.map((value) => `content-length: ${value}\r\n`), ''], numbers)
}

/** The body in chunks as they should be, or nearly. */
function inChunks(body: Uint8Array, numbers: SeededNumbers): Uint8Array {
  const { below } = numbers
  const parts: Uint8Array[] = []
  for (let at = 0; at < body.length; ) {
    const piece = body.subarray(at, at + 1 + below(2_000))
    const sizes = [
      piece.length.toString(16),
      'ffffffff',
      '-1',
      'g',
      `${piece.length.toString(16)};${'x'.repeat(below(3_000))}`,
      '',
    ]
    const size = below(4) === 0 ? pick(sizes, numbers) : (sizes[0] as string)
    parts.push(Buffer.from(`${size}\r\n`), piece, Buffer.from(below(10) === 0 ? '' : '\r\n'))
    at += piece.length
  }
  const end = pick(['0\r\n\r\n', '0\r\n\r\n', '0\r\nx: y\r\n\r\n', '0', ''], numbers)
  return Buffer.concat([...parts, Buffer.from(end)])
}

function pick<T>(from: readonly T[], { below }: SeededNumbers): T {
  return from[below(from.length)] as T
}
