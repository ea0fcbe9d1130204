import type { Codec, Envelope, HashName, Roles, Signer } from '@vault/core'
import {
  contentId,
  createInception,
  createKeyEvent,
  createSigner,
  DEFAULT_CONTENT,
  decode,
  encode,
  encodeEnvelope,
  idBytes,
  isLink,
  link,
  publicKeyOf,
  signEnvelope,
  signedMessage,
  toHex,
  utf8,
  verifyInception,
  verifyKeyHistory,
} from '@vault/core'
import { fromHex } from './support.ts'
import { witnessedVectors } from './witnessed-vectors.ts'

/** What the files under `vectors/` hold, by their path there. Published cases never change; more come in new files. */
export async function vectorCases(): Promise<Record<string, readonly object[]>> {
  return {
    'content-id/v1/valid/ids.json': contentIds(),
    'content-id/v1/invalid/texts.json': contentIdTexts(),
    'dag-cbor/v1/valid/values.json': cborValues(),
    'dag-cbor/v1/invalid/bytes.json': REFUSED_CBOR.map(([name, hex]) => ({ name, hex, code: 'CBOR_INVALID' })),
    'dag-cbor/v1/invalid/limits.json': cborLimits(),
    'signature/v1/valid/signatures.json': await signatures(),
    'signature/v1/invalid/signatures.json': await refusedSignatures(),
    'signature/v1/invalid/key-ids.json': keyIds(),
    'signature/v1/valid/envelopes.json': await envelopes(),
    'key-event/v1/valid/inceptions.json': await inceptions(),
    'key-event/v1/invalid/inceptions.json': await refusedInceptions(),
    'key-event/v1/valid/histories.json': await histories(),
    'key-event/v1/invalid/histories.json': await refusedHistories(),
    ...(await witnessedVectors()),
  }
}

/** A value in DAG-JSON (https://ipld.io/specs/codecs/dag-json/spec/), so that JSON can carry bytes and links. */
export function toDagJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return { '/': { bytes: Buffer.from(value).toString('base64').replace(/=*$/, '') } }
  if (isLink(value)) return { '/': value.id }
  if (Array.isArray(value)) return value.map(toDagJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toDagJson(item)]))
}

function contentIds(): object[] {
  const contents = { empty: '', hello: toHex(utf8('hello')), 'a CBOR map': 'a1616101' }
  const kinds: [Codec, HashName][] = [
    ['raw', 'blake3'],
    ['raw', 'sha2-256'],
    ['dag-cbor', 'blake3'],
    ['dag-cbor', 'sha2-256'],
  ]
  return Object.entries(contents).flatMap(([name, hex]) =>
    kinds.map(([codec, hash]) => {
      const id = contentId(fromHex(hex), { codec, hash })
      return { name: `${name}, ${codec}, ${hash}`, content: hex, codec, hash, id, binary: toHex(idBytes(id)) }
    }),
  )
}

function contentIdTexts(): object[] {
  const good = contentId(utf8('hello'))
  const cases: [string, string][] = [
    ['nothing', ''],
    ['a character short', good.slice(0, -1)],
    ['a character more', `${good}a`],
    ['upper case', good.toUpperCase()],
    ['a digit outside base32', good.replace('k', '1')],
    ['another base', `z${good.slice(1)}`],
    ['stray bits in the last digit', `${good.slice(0, -1)}5`],
    ['a CIDv0', 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG'],
    ['codec dag-pb', 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi'],
  ]
  return cases.map(([name, text]) => ({ name, text, code: 'CONTENT_ID_INVALID' }))
}

function cborValues(): object[] {
  const id = contentId(utf8('hello'))
  const values: [string, unknown][] = [
    ['null', null],
    ['false', false],
    ['true', true],
    ...[0, 23, 24, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, 9_007_199_254_740_991].map(integer),
    ...[-1, -24, -25, -256, -257, -4_294_967_296, -4_294_967_297, -9_007_199_254_740_991].map(integer),
    ['one half', 0.5],
    ['a fraction that a shorter float holds', -1.25],
    ['the smallest float', 5e-324],
    ['the largest float with a fraction', 4_503_599_627_370_495.5],
    ['empty text', ''],
    ['text', 'hello'],
    ['text beyond ASCII', 'é ﬁ 😀'],
    ['a byte order mark', '\ufeff'],
    ['text of 24 bytes', 'x'.repeat(24)],
    ['no bytes', new Uint8Array(0)],
    ['bytes', Uint8Array.of(0, 127, 128, 255)],
    ['an empty array', []],
    ['arrays within each other', [1, [2, [3]]]],
    ['an empty map', {}],
    ['keys by length, then by bytes', { bb: 1, a: 2, b: 3, '': 4, aa: 5 }],
    ['keys beyond ASCII', { '😀': 1, '\uffff': 2, é: 3, zz: 4, '\ue000a': 5 }],
    ['a link', link(id)],
    ['a link in a map', { object: link(contentId(utf8('x'), { codec: 'dag-cbor', hash: 'sha2-256' })), size: 1 }],
  ]
  return values.map(([name, value]) => ({ name, hex: toHex(encode(value)), value: toDagJson(value) }))
}

function integer(value: number): [string, number] {
  return [`the integer ${value}`, value]
}

function cborLimits(): object[] {
  return [
    { name: '65 arrays', hex: `${'81'.repeat(65)}00`, code: 'CBOR_TOO_DEEP' },
    { name: '65 maps', hex: `${'a16161'.repeat(65)}00`, code: 'CBOR_TOO_DEEP' },
    { name: 'open arrays', hex: '81'.repeat(1000), code: 'CBOR_TOO_DEEP' },
  ]
}

const secretKey = (n: number) => new Uint8Array(32).fill(n)
const [ana, ben, ops, log] = [1, 2, 3, 4].map((n) => createSigner(secretKey(n))) as [Signer, Signer, Signer, Signer]
const [dea, ops2, log2] = [5, 6, 7].map((n) => createSigner(secretKey(n))) as [Signer, Signer, Signer]

async function signatures(): Promise<object[]> {
  const given: [string, number, string, string][] = [
    ['an empty payload', 1, 'note', ''],
    ['a short payload', 2, 'note', '00'],
    ['a type with a hyphen', 3, 'hand-off', 'a1616101'],
    ['a long payload', 4, 'key', 'ff'.repeat(300)],
  ]
  return Promise.all(
    given.map(async ([name, n, type, payload]) => {
      const signer = createSigner(secretKey(n))
      const message = signedMessage(type, fromHex(payload))
      return {
        name,
        secretKey: toHex(secretKey(n)),
        publicKey: toHex(publicKeyOf(signer.key)),
        key: signer.key,
        type,
        payload,
        message: toHex(message),
        signature: toHex(await signer.sign(message)),
      }
    }),
  )
}

/** The strict rule: what it refuses though the equation of one implementation or another holds. */
async function refusedSignatures(): Promise<object[]> {
  const message = utf8('message')
  const publicKey = toHex(publicKeyOf(ana.key))
  const signature = toHex(await ana.sign(message))
  const [r, s] = [signature.slice(0, 64), signature.slice(64)]
  const cases: [string, string, string][] = [
    ['another message signed', publicKey, toHex(await ana.sign(utf8('massage')))],
    ['a signature of 63 bytes', publicKey, signature.slice(2)],
    ['a signature of 65 bytes', publicKey, `${signature}00`],
    ['a key of 31 bytes', publicKey.slice(2), signature],
    ['S + L', publicKey, r + addOrder(s)],
    ['a bit of R flipped', publicKey, `${flip(r)}${s}`],
    ['a bit of S flipped', publicKey, `${r}${flip(s)}`],
    ...SMALL_ORDER.flatMap((point): [string, string, string][] => [
      [`the key ${point} of small order, with itself as R and S = 0`, point, point + '00'.repeat(32)],
      [`R = ${point} of small order`, publicKey, point + s],
    ]),
  ]
  return cases.map(([name, key, sig]) => ({ name, publicKey: key, message: toHex(message), signature: sig }))
}

/** The canonical encodings of points of small order with a clear sign, then non-canonical and signed ones. */
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0100000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
]

function addOrder(s: string): string {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const sum = BigInt(`0x${reversed(s)}`) + order
  return reversed(sum.toString(16).padStart(64, '0'))
}

function reversed(hex: string): string {
  return (hex.match(/../g) as string[]).reverse().join('')
}

function flip(hex: string): string {
  const bytes = fromHex(hex)
  bytes[1] = (bytes[1] as number) ^ 1
  return toHex(bytes)
}

function keyIds(): object[] {
  const good = ana.key
  const cases: [string, string][] = [
    ['no prefix', good.slice(8)],
    ['another prefix', good.replace('ed25519:', 'did:key:')],
    ['another base', good.replace(':z', ':b')],
    ['a character outside base58', `${good.slice(0, -1)}0`],
    ['a character short', good.slice(0, -1)],
    ['a character more', `${good}1`],
    ['an X25519 key', 'ed25519:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc'],
  ]
  return cases.map(([name, text]) => ({ name, text, code: 'KEY_ID_INVALID' }))
}

async function envelopes(): Promise<object[]> {
  const payload = encode({ text: 'hello' })
  const envelope = await signEnvelope('note', payload, [ana, ben, ana])
  const forged = { key: ops.key, signature: new Uint8Array(64).fill(1) }
  const bytes = encodeEnvelope({ payload, signatures: [...envelope.signatures, forged] })
  const hex = toHex(bytes)
  const keys = [ben.key, ops.key, ana.key]
  return [
    { name: 'two of three, one signing twice', hex, type: 'note', keys, threshold: 2, signers: [ben.key, ana.key] },
    { name: 'a forged third', hex, type: 'note', keys, threshold: 3, code: 'SIGNATURE_THRESHOLD' },
    { name: 'another type', hex, type: 'memo', keys, threshold: 1, code: 'SIGNATURE_THRESHOLD' },
    { name: 'keys that did not sign', hex, type: 'note', keys: [log.key], threshold: 1, code: 'SIGNATURE_THRESHOLD' },
  ]
}

const ROLES = {
  identity: { keys: [ana.key, ben.key].sort(), threshold: 2 },
  operators: { keys: [ops.key], threshold: 1 },
  log: { keys: [log.key], threshold: 1 },
}
const FOUNDING = { roles: ROLES, nonce: fromHex('000102030405060708090a0b0c0d0e0f'), at: new Date(1_767_323_045_000) }

async function inceptions(): Promise<object[]> {
  const one = { keys: [ana.key], threshold: 1 }
  const given: [string, Parameters<typeof createInception>][] = [
    ['four keys, the defaults', [FOUNDING, [ana, ben, ops, log]]],
    ['one key for all', [{ ...FOUNDING, roles: { identity: one, operators: one, log: one } }, [ana]]],
    [
      'SHA-256 and small chunks',
      [{ ...FOUNDING, content: { hash: 'sha2-256', chunker: { kind: 'fixed', size: 4096 } } }, [ana, ben, ops, log]],
    ],
  ]
  return Promise.all(
    given.map(async ([name, [founding, signers]]) => {
      const envelope = await createInception(founding, signers)
      const { vault, inception } = verifyInception(envelope)
      return { name, vault, inception: toDagJson(inception), envelope: toHex(encodeEnvelope(envelope)) }
    }),
  )
}

async function refusedInceptions(): Promise<object[]> {
  const signers = [ana, ben, ops, log]
  const { payload } = await createInception(FOUNDING, signers)
  const event = decode(payload) as Record<string, unknown>
  const signed = async (name: string, change: Record<string, unknown>) => {
    const envelope = await signEnvelope('key', encode({ ...event, ...change }), signers)
    return { name, code: 'KEY_EVENT_INVALID', envelope: toHex(encodeEnvelope(envelope)) }
  }
  const missing = encodeEnvelope(await signEnvelope('key', payload, [ana, ben, ops]))
  const otherType = encodeEnvelope(await signEnvelope('note', payload, signers))
  const descending = { ...ROLES.identity, keys: ROLES.identity.keys.toReversed() }
  return [
    await signed('an unknown field', { context: null }),
    await signed('a later event', { seq: 1 }),
    await signed('keys in descending order', { roles: { ...ROLES, identity: descending } }),
    await signed('a threshold above the keys', { roles: { ...ROLES, log: { keys: [log.key], threshold: 2 } } }),
    await signed('a short nonce', { nonce: new Uint8Array(15) }),
    await signed('large chunks', { content: { hash: 'blake3', chunker: { kind: 'fixed', size: 1_048_577 } } }),
    { name: 'a role that has not signed', code: 'SIGNATURE_THRESHOLD', envelope: toHex(missing) },
    { name: 'signed as another type', code: 'SIGNATURE_THRESHOLD', envelope: toHex(otherType) },
  ]
}

const MOVED_ROLES: Roles = {
  identity: { keys: [dea.key], threshold: 1 },
  operators: { keys: [ops2.key], threshold: 1 },
  log: { keys: [log2.key], threshold: 1 },
}
const MOVE = { migration: '5e'.repeat(16), instance: '01'.repeat(16) }

async function moves() {
  const inception = await createInception(FOUNDING, [ana, ben, ops, log])
  const founded = verifyKeyHistory([inception])
  const at = new Date(1_767_400_000_000)
  const move = { history: founded, why: 'migrate' as const, roles: MOVED_ROLES, context: MOVE, at }
  const moved = await createKeyEvent(move, [ana, ben, dea, ops2, log2])
  const after = verifyKeyHistory([inception, moved])
  const rotated = await createKeyEvent(
    { history: after, why: 'rotate', roles: { ...MOVED_ROLES, log: { keys: [log.key], threshold: 1 } }, at },
    [dea, log],
  )
  return { inception, moved, rotated }
}

const hexOf = (envelopes: readonly Envelope[]) => envelopes.map((envelope) => toHex(encodeEnvelope(envelope)))

async function histories(): Promise<object[]> {
  const { inception, moved, rotated } = await moves()
  return [
    { name: 'an inception alone', envelopes: [inception] },
    { name: 'a move to new keys', envelopes: [inception, moved] },
    { name: 'and a new log key', envelopes: [inception, moved, rotated] },
  ].map(({ name, envelopes }) => {
    const { vault, seq, head, roles } = verifyKeyHistory(envelopes)
    return { name, vault, seq, head, roles, envelopes: hexOf(envelopes) }
  })
}

async function refusedHistories(): Promise<object[]> {
  const { inception, moved, rotated } = await moves()
  const signers = [ana, ben, dea, ops2, log2]
  const event = decode(moved.payload) as Record<string, unknown>
  const refused = (name: string, index: number, envelopes: readonly Envelope[]) => {
    return { name, code: 'KEY_EVENT_INVALID', index, envelopes: hexOf(envelopes) }
  }
  const changed = async (name: string, change: Record<string, unknown>) => {
    return refused(name, 1, [inception, await signEnvelope('key', encode({ ...event, ...change }), signers)])
  }
  const without = async (name: string, absent: Signer) => {
    const present = signers.filter((signer) => signer !== absent)
    return refused(name, 1, [inception, await signEnvelope('key', moved.payload, present)])
  }
  const { context: _, ...unplaced } = event
  const promoted = { ...unplaced, why: 'rotate', roles: { ...ROLES, operators: { keys: [log.key], threshold: 1 } } }
  const asNote = await signEnvelope('note', moved.payload, signers)
  return [
    refused('a later event first', 0, [moved]),
    refused('an event left out', 1, [inception, rotated]),
    refused('an event twice', 2, [inception, moved, moved]),
    await without('the old identity below its threshold', ana),
    await without('the new identity has not signed', dea),
    await without('a new log key has not signed', log2),
    refused('a key that comes from another role has not signed', 1, [
      inception,
      await signEnvelope('key', encode(promoted), [ana, ben]),
    ]),
    await changed('another number', { seq: 2 }),
    await changed('another event before it', { prev: null }),
    await changed('an unknown reason', { why: 'retire' }),
    await changed('a context without migrate', { why: 'recover' }),
    await changed('an instance of another form', { context: { ...MOVE, instance: '01' } }),
    await changed('an unknown field', { witnesses: [] }),
    await changed('other content', { content: DEFAULT_CONTENT }),
    refused('signed as another type', 1, [inception, asNote]),
  ]
}

const REFUSED_CBOR: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['trailing bytes', '0000'],
  ['an integer in two bytes that fits one', '1817'],
  ['an integer in three bytes that fits two', '1900ff'],
  ['an integer in five bytes that fits three', '1a0000ffff'],
  ['an integer in nine bytes that fits five', '1b00000000ffffffff'],
  ['a length that is not shortest', '5800'],
  ['an integer above the safe range', '1b0020000000000000'],
  ['an integer below the safe range', '3b001fffffffffffff'],
  ['the largest integer', '1bffffffffffffffff'],
  ['reserved additional information', '1c'],
  ['indefinite bytes', '5f4101ff'],
  ['indefinite text', '7f6161ff'],
  ['an indefinite array', '9f01ff'],
  ['an indefinite map', 'bf616101ff'],
  ['a break', 'ff'],
  ['undefined', 'f7'],
  ['another simple value', 'e0'],
  ['a simple value in two bytes', 'f8ff'],
  ['a 16-bit float', 'f93800'],
  ['a 32-bit float', 'fa3f000000'],
  ['NaN', 'fb7ff8000000000000'],
  ['infinity', 'fb7ff0000000000000'],
  ['-0', 'fb8000000000000000'],
  ['a float that is an integer', 'fb3ff0000000000000'],
  ['a float that is a large integer', 'fb7e37e43c8800759c'],
  ['a float cut short', 'fb3fe000'],
  ['keys out of order', 'a2616201616102'],
  ['a longer key first', 'a262616101616202'],
  ['a key twice', 'a2616101616102'],
  ['a key that is a number', 'a10101'],
  ['a key that is bytes', 'a1416101'],
  ['a key without a value', 'a16161'],
  ['text that is not UTF-8', '61ff'],
  ['text with an overlong form', '62c080'],
  ['text with a surrogate', '63eda080'],
  ['long text that is not UTF-8', `7880${'61'.repeat(127)}ff`],
  ['text cut short', '6261'],
  ['bytes cut short', '420'.padEnd(4, '1')],
  ['2^53 bytes', '5b0020000000000000'],
  ['2^63 items', '9b8000000000000000'],
  ['a claim of 2^32 - 1 items', '9affffffff'],
  ['a claim of 2^32 - 1 keys', 'baffffffff'],
  ['another tag', 'c000'],
  ['tag 42 on text', 'd82a6161'],
  ['tag 42 in a longer form', `d9002a582500${'01551e20'.padEnd(72, '0')}`],
  ['a link without its zero byte', `d82a5824${'01551e20'.padEnd(72, '0')}`],
  ['a link with another first byte', `d82a582501${'01551e20'.padEnd(72, '0')}`],
  ['a link with an unknown codec', `d82a582500${'01701220'.padEnd(72, '0')}`],
  ['a CIDv0', `d82a582300${'1220'.padEnd(68, '0')}`],
]
