import { readFileSync } from 'node:fs'
import { decode, decodeEnvelope, encode, encodeEnvelope } from '@vault/core'
import {
  createPrincipalObject,
  followsPrincipal,
  openPrincipalObject,
  principalIdentity,
  verifyPrincipalObject,
} from '@vault/spki-caps'
import {
  encodeSexp,
  formatSexp,
  parseCanonicalSexp,
  parseSexp,
  readPrincipal,
  writePrincipal,
} from '@vault/spki-caps/sexp'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { principalCases } from './principal-cases.ts'
import { codeOf, runs } from './support.ts'
import { ana, ben } from './world.ts'

const of = { name: 'alice', created: '2026-01-06' }
const lastActive = new Date('2026-01-08T14:30:00Z')
const stats = { signaturesIssued: 47, delegationsGranted: 3, lastActive }
const first = await createPrincipalObject({ of, ...stats }, ana)
const opened = openPrincipalObject(first)
const next = async (more: Partial<typeof stats> = {}, before = opened) =>
  openPrincipalObject(await createPrincipalObject({ of: before, ...stats, ...more }, ana))
const codes = (a: typeof opened, b: typeof opened) => followsPrincipal(a, b).map(({ code, subject }) => [code, subject])

describe('a principal with its statistics', () => {
  it('is verified by its own key alone, and keeps its identity from one checkpoint to the next', async () => {
    expect(verifyPrincipalObject(first).record).toMatchObject({ name: 'alice', key: ana.key, seq: 1, prev: null })
    const second = await next({ signaturesIssued: 48 })
    expect(second.record.seq).toBe(2)
    expect(principalIdentity(second.record)).toBe(principalIdentity(opened.record))
    expect(second.id).not.toBe(opened.id)
    expect(codes(opened, second)).toEqual([])
    const third = await next({ signaturesIssued: 48 }, second)
    expect(codes(opened, third)).toEqual([])
  })

  test('no number of it is changed by anybody else', () => {
    const value = decode(first.payload) as Record<string, unknown> & { stats: Record<string, number> }
    fc.assert(
      fc.property(
        fc.constantFrom('signaturesIssued', 'delegationsGranted', 'lastActive'),
        fc.integer({ min: 0, max: 2_000_000_000 }),
        (name, number) => {
          fc.pre(value.stats[name] !== number)
          const payload = encode({ ...value, stats: { ...value.stats, [name]: number } } as never)
          expect(codeOf(() => verifyPrincipalObject({ ...first, payload }))).toBe('SIGNATURE_THRESHOLD')
        },
      ),
      runs(60),
    )
    for (const changed of [{ name: 'mallory' }, { created: '2026-01-07' }, { key: ben.key }]) {
      const payload = encode({ ...value, ...changed } as never)
      expect(codeOf(() => verifyPrincipalObject({ ...first, payload }))).toBe('SIGNATURE_THRESHOLD')
    }
  })

  test('no byte of it is changed', () => {
    const bytes = encodeEnvelope(first)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = bytes.slice()
        changed[at] = (changed[at] as number) ^ flip
        expect(codeOf(() => verifyPrincipalObject(decodeEnvelope(changed)))).not.toBeUndefined()
      }),
      runs(100),
    )
  })

  it('says when something was put back, and what', async () => {
    const second = await next({ signaturesIssued: 50 })
    expect(codes(second, opened)).toEqual([
      ['CAPS_OBJECT_ORDER', undefined],
      ['CAPS_OBJECT_LOWER', 'signaturesIssued'],
    ])
    // Two of one: whoever put back a copy of the key's state goes on from there.
    const other = await next({ signaturesIssued: 49 })
    expect(codes(second, other)).toEqual([
      ['CAPS_OBJECT_ORDER', undefined],
      ['CAPS_OBJECT_LOWER', 'signaturesIssued'],
    ])
    const third = await next({ signaturesIssued: 60 }, other)
    expect(codes(second, third)).toEqual([['CAPS_OBJECT_ORDER', undefined]])
    const bens = openPrincipalObject(await createPrincipalObject({ of, ...stats }, ben))
    expect(codes(opened, bens).map(([code]) => code)).toEqual(['CAPS_OBJECT_ORDER', 'CAPS_OBJECT_FOREIGN'])
  })

  it('is not signed with a lower number than before, nor by another key', async () => {
    for (const lower of [
      { signaturesIssued: 46 },
      { delegationsGranted: 2 },
      { lastActive: new Date(lastActive.getTime() - 1000) },
    ])
      await expect(next(lower)).rejects.toBeInstanceOf(RangeError)
    await expect(createPrincipalObject({ of: opened, ...stats }, ben)).rejects.toBeInstanceOf(RangeError)
    for (const bad of [{ name: '' }, { created: '2026-02-30' }, { created: 'today' }]) {
      await expect(createPrincipalObject({ of: { ...of, ...bad }, ...stats }, ana)).rejects.toMatchObject({
        code: 'CAPS_RECORD_INVALID',
      })
    }
  })
})

describe('as an S-expression', () => {
  it('says what the record says, and is verified from it', () => {
    const text = formatSexp(writePrincipal(first))
    expect(text).toContain('(object (type principal) (name alice) (key #')
    expect(text).toContain(
      '(stats (signatures-issued "47") (delegations-granted "3") (last-active "2026-01-08T14:30:00Z") (created "2026-01-06"))',
    )
    const read = readPrincipal(parseCanonicalSexp(encodeSexp(writePrincipal(first))))
    expect(verifyPrincipalObject(read)).toEqual(opened)
  })

  it('is refused where it says anything else', () => {
    const bytes = encodeSexp(writePrincipal(first))
    const text = Buffer.from(bytes).toString('latin1')
    const changed = (from: string, to: string) => parseCanonicalSexp(Buffer.from(text.replace(from, to), 'latin1'))
    expect(codeOf(() => readPrincipal(changed('2:47', '2:48')))).toBe('CAPS_SEXP_INVALID')
    expect(codeOf(() => readPrincipal(changed('5:alice', '5:malic')))).toBe('CAPS_SEXP_INVALID')
    expect(codeOf(() => readPrincipal(changed('(9:signature', '(9:signaturf')))).toBe('CAPS_SEXP_INVALID')
  })
})

describe('the published vectors', () => {
  const read = (path: string) => JSON.parse(readFileSync(new URL(`../../../vectors/${path}`, import.meta.url), 'utf8'))
  const envelope = (hex: string) => decodeEnvelope(Uint8Array.from(Buffer.from(hex, 'hex')))

  test('hold: capability/v1 principals', () => {
    for (const { name, envelope: hex, ...said } of read('capability/v1/valid/principals.json')) {
      const { id, record } = verifyPrincipalObject(envelope(hex))
      const found = { id, identity: principalIdentity(record), sexp: formatSexp(writePrincipal(envelope(hex))) }
      expect([name, found]).toEqual([name, said])
      expect(readPrincipal(parseSexp(found.sexp))).toEqual(envelope(hex))
    }
    for (const { name, envelope: hex, code } of read('capability/v1/invalid/principals.json'))
      expect([name, codeOf(() => verifyPrincipalObject(envelope(hex)))]).toEqual([name, code])
  })

  test.each(['valid', 'invalid'])('hold: capability/v1/%s/principal-checkpoints', (kind) => {
    for (const { name, before, after, codes: said = [] } of read(`capability/v1/${kind}/principal-checkpoints.json`)) {
      const [one, two] = [verifyPrincipalObject(envelope(before)), verifyPrincipalObject(envelope(after))]
      expect([name, followsPrincipal(one, two).map(({ code }) => code)]).toEqual([name, said])
      expect(said.length > 0).toBe(kind === 'invalid')
    }
  })

  test('are still what the implementation writes', async () => {
    for (const [path, cases] of Object.entries(await principalCases())) expect(read(path), path).toEqual(cases)
  })
})
