import type { Bytes } from '@vault/core'
import { concatBytes, fromUtf8, hashBytes, utf8 } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createCosigner,
  createNoteSigner,
  encodeNote,
  encodeTlogProof,
  MAX_EXTRA_LENGTH,
  MAX_TLOG_PROOF_LENGTH,
  parseNote,
  parseTlogProof,
  signCheckpoint,
  verifyCosignature,
  verifyTlogProof,
} from '../src/index.ts'
import { anyBytes } from './arbitrary.ts'
import { codeOf, flip, fuzzRuns, signerOf } from './support.ts'

const origin = 'vault.example/audit'
const log = createNoteSigner({ name: origin, signer: signerOf(1) })
const keys = [log.key]

const sign = (size: number, root: Uint8Array) =>
  signCheckpoint({ origin, size, root: new Uint8Array(root), extensions: [] }, [log])

/** RFC 9162, 2.1.1 and 2.1.3.1, as they are written there. */
const hash = (prefix: number, ...parts: readonly Uint8Array[]) =>
  hashBytes('sha2-256', concatBytes(Uint8Array.of(prefix), ...parts))
const split = (length: number): number => {
  let k = 1
  while (k * 2 < length) k *= 2
  return k
}
function rootOf(data: readonly Uint8Array[]): Bytes {
  if (data.length === 1) return hash(0, data[0] as Uint8Array)
  const k = split(data.length)
  return hash(1, rootOf(data.slice(0, k)), rootOf(data.slice(k)))
}
function pathOf(index: number, data: readonly Uint8Array[]): readonly Bytes[] {
  if (data.length === 1) return []
  const k = split(data.length)
  return index < k
    ? [...pathOf(index, data.slice(0, k)), rootOf(data.slice(k))]
    : [...pathOf(index - k, data.slice(k)), rootOf(data.slice(0, k))]
}

const entries = Array.from({ length: 7 }, (_, i) => utf8(`entry ${i}`))
const checkpoint = await sign(7, rootOf(entries))
const proofOf = (index: number, extra?: Uint8Array) =>
  encodeTlogProof({ index, proof: pathOf(index, entries), checkpoint, ...(extra === undefined ? {} : { extra }) })

test('an entry of a log in use, with the proof that its log gave', async () => {
  // "hello tesseroak" in a Tessera log of 76,959 entries: from the tests of tlog_proof in Project Oak.
  const base64 = [
    'fGRlLyuz+L9Jb8+uTSut/2aVc4z7fKFW+clvsb6xjEM=',
    'F6LautOHD5eppkWC0xn/lz00X5g2yLlZAkl2jCI/wdE=',
    'qH7OJxFNup+TDvJuohd2HphKVngfMeMzUK8QChEDcas=',
    '+Y3g758yXtPCRh/eqhLTA3bdcx+cCV1Uah0JdgB0YEs=',
    'vq8cJSjj8dPVmFBRUqDLlaMqW6aAYR2GKugVhgudXLs=',
    'J0z3X5qTb9WFC1gABhVFx0bW1rVZRL+DAoBL2e2h4G4=',
    'NmSbYg25xNFzTRerIsF3HbEMyTIDqW87AQd9ekzopE8=',
    'L8BZipjURnkctkjJtGJs+YyTXMssvNKA7+a8nV2JT/s=',
    'pva4RFzCejMkVMVmYc93As2lbk7WAyrw58TvrzEOjNc=',
  ]
  const note = fromUtf8(await sign(76_959, Buffer.from('QYfrD7XAd4qUHbRBs4dDyDZwpZN4M/cccXr2G56pxkY=', 'base64')))
  const bytes = utf8(`c2sp.org/tlog-proof@v1\nindex 76958\n${base64.join('\n')}\n\n${note}`)
  const leaf = utf8('hello tesseroak\n')
  expect(verifyTlogProof(bytes, { leaf, origin, keys })).toMatchObject({ index: 76_958, checkpoint: { size: 76_959 } })
  expect(codeOf(() => verifyTlogProof(bytes, { leaf: utf8('hello'), origin, keys }))).toBe('AUDIT_PROOF_INVALID')
})

describe('proofs', () => {
  test('are lines of text', () => {
    const [first, second] = pathOf(2, entries).map((each) => Buffer.from(each).toString('base64'))
    const text = fromUtf8(proofOf(2, utf8('beside')))
    expect(text.split('\n').slice(0, 5)).toEqual([
      'c2sp.org/tlog-proof@v1',
      'extra YmVzaWRl',
      'index 2',
      first as string,
      second as string,
    ])
    expect(text.endsWith(`\n\n${fromUtf8(checkpoint)}`)).toBe(true)
  })

  test('of every entry hold, for this entry, index, log and key alone', () => {
    for (const [index, leaf] of entries.entries()) {
      const bytes = proofOf(index)
      const proven = verifyTlogProof(bytes, { leaf, origin, keys })
      expect(proven).toMatchObject({ index, checkpoint: { origin, size: 7 }, signedBy: keys })
      expect(encodeNote(proven.note)).toEqual(checkpoint)
      const other = entries[(index + 1) % 7] as Bytes
      expect(codeOf(() => verifyTlogProof(bytes, { leaf: other, origin, keys }))).toBe('AUDIT_PROOF_INVALID')
      const elsewhere = { leaf, origin: 'other.example', keys }
      expect(codeOf(() => verifyTlogProof(bytes, elsewhere))).toBe('AUDIT_CHECKPOINT_UNTRUSTED')
      expect(codeOf(() => verifyTlogProof(bytes, { leaf, origin, keys: [] }))).toBe('AUDIT_CHECKPOINT_UNTRUSTED')
    }
  })

  test('of a log of one entry have no hashes', async () => {
    const bytes = encodeTlogProof({ index: 0, proof: [], checkpoint: await sign(1, rootOf([utf8('a')])) })
    expect(fromUtf8(bytes)).toMatch(/^c2sp\.org\/tlog-proof@v1\nindex 0\n\nvault\.example\/audit\n1\n/)
    expect(verifyTlogProof(bytes, { leaf: utf8('a'), origin, keys }).index).toBe(0)
  })

  test('carry the cosignatures of witnesses', async () => {
    const witness = createCosigner({ name: 'w.example', signer: signerOf(9), clock: () => new Date(7000) })
    const note = parseNote(checkpoint)
    const cosigned = encodeNote({ ...note, signatures: [...note.signatures, await witness.cosign(note.text)] })
    const bytes = encodeTlogProof({ index: 1, proof: pathOf(1, entries), checkpoint: cosigned })
    const proven = verifyTlogProof(bytes, { leaf: entries[1] as Bytes, origin, keys })
    expect(verifyCosignature(proven.note, witness.key)).toBe(7)
  })

  test('do not hold after any change but in their extra data', () => {
    const [bytes, leaf] = [proofOf(4), entries[4] as Bytes]
    for (let i = 0; i < bytes.length; i++) {
      for (const mask of [0x01, 0x10, 0x80]) {
        expect(codeOf(() => verifyTlogProof(flip(bytes, i, mask), { leaf, origin, keys }))).toMatch(/^AUDIT_/)
      }
      expect(codeOf(() => verifyTlogProof(bytes.subarray(0, i), { leaf, origin, keys }))).toMatch(/^AUDIT_/)
    }
    const changed = utf8(fromUtf8(proofOf(4, utf8('a'))).replace('YQ==', 'Yg=='))
    expect(verifyTlogProof(changed, { leaf, origin, keys })).not.toHaveProperty('extra')
    expect(parseTlogProof(changed).extra).toEqual(utf8('b'))
  })

  const good = fromUtf8(proofOf(4))
  const [first = ''] = pathOf(4, entries).map((each) => Buffer.from(each).toString('base64'))
  test.each([
    ['nothing', ''],
    ['the first line alone', 'c2sp.org/tlog-proof@v1\n'],
    ['another version', good.replace('@v1', '@v2')],
    ['a space after the version', good.replace('@v1', '@v1 ')],
    ['carriage returns', good.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\ufeff${good}`],
    ['no index', good.replace('index 4\n', '')],
    ['no number', good.replace('index 4', 'index ')],
    ['a leading zero', good.replace('index 4', 'index 04')],
    ['a negative index', good.replace('index 4', 'index -4')],
    ['an index after the end', good.replace('index 4', 'index 7')],
    ['an index of 2^53', good.replace('index 4', 'index 9007199254740992')],
    ['two indexes', good.replace('index 4', 'index 4\nindex 4')],
    ['empty extra data', good.replace('index', 'extra \nindex')],
    ['extra data without padding', good.replace('index', 'extra YQ\nindex')],
    ['extra data twice', good.replace('index', 'extra YQ==\nextra YQ==\nindex')],
    ['extra data after the index', good.replace('index 4', 'index 4\nextra YQ==')],
    ['too much extra data', good.replace('index', `extra ${'AAAA'.repeat(MAX_EXTRA_LENGTH / 3 + 1)}\nindex`)],
    ['a hash of 31 bytes', good.replace(first, Buffer.alloc(31).toString('base64'))],
    ['a hash of 33 bytes', good.replace(first, Buffer.alloc(33).toString('base64'))],
    ['a hash without padding', good.replace(first, first.slice(0, -1))],
    ['a hash and a space', good.replace(first, `${first} `)],
    ['54 hashes', good.replace(first, Array(52).fill(first).join('\n'))],
    ['no blank line', good.replaceAll('\n\n', '\n')],
  ])('are not: %s', (_, text) => {
    expect(text).not.toBe(good)
    expect(codeOf(() => parseTlogProof(utf8(text)))).toBe('AUDIT_PROOF_INVALID')
  })

  test('are not those of another kind of checkpoint', () => {
    const head = good.slice(0, good.indexOf('\n\n') + 2)
    expect(codeOf(() => parseTlogProof(utf8(head)))).toBe('AUDIT_NOTE_INVALID')
    expect(codeOf(() => parseTlogProof(utf8(`${head}\n${fromUtf8(checkpoint)}`)))).toBe('AUDIT_CHECKPOINT_INVALID')
    expect(codeOf(() => parseTlogProof(utf8(`${head}hello\n\n— a AAAAAAA=\n`)))).toBe('AUDIT_CHECKPOINT_INVALID')
    expect(codeOf(() => parseTlogProof(Uint8Array.of(0xff)))).toBe('AUDIT_PROOF_INVALID')
    // With one byte less it is the note that is too long.
    const long = (length: number) => utf8(good + 'a'.repeat(length - utf8(good).length))
    expect(codeOf(() => parseTlogProof(long(MAX_TLOG_PROOF_LENGTH)))).toBe('AUDIT_NOTE_INVALID')
    expect(codeOf(() => parseTlogProof(long(MAX_TLOG_PROOF_LENGTH + 1)))).toBe('AUDIT_PROOF_INVALID')
  })

  const content = { index: 4, proof: pathOf(4, entries), checkpoint }
  test.each([
    ['half an index', { ...content, index: 0.5 }, 'AUDIT_PROOF_INVALID'],
    ['an index after the end', { ...content, index: 7 }, 'AUDIT_PROOF_INVALID'],
    ['a short hash', { ...content, proof: [new Uint8Array(31)] }, 'AUDIT_PROOF_INVALID'],
    ['an empty hash', { ...content, proof: [new Uint8Array()] }, 'AUDIT_PROOF_INVALID'],
    ['54 hashes', { ...content, proof: Array(54).fill(new Uint8Array(32)) }, 'AUDIT_PROOF_INVALID'],
    ['empty extra data', { ...content, extra: new Uint8Array() }, 'AUDIT_PROOF_INVALID'],
    ['too much extra data', { ...content, extra: new Uint8Array(MAX_EXTRA_LENGTH + 1) }, 'AUDIT_PROOF_INVALID'],
    ['a checkpoint that is not text', { ...content, checkpoint: Uint8Array.of(0xff) }, 'AUDIT_PROOF_INVALID'],
    ['no checkpoint', { ...content, checkpoint: new Uint8Array() }, 'AUDIT_NOTE_INVALID'],
  ])('are not written with %s', (_, bad, code) => {
    expect(codeOf(() => encodeTlogProof(bad))).toBe(code)
  })

  test('that are written are read, up to the limits', () => {
    const index = fc.nat(6)
    const proof = fc.array(anyBytes({ minLength: 32, maxLength: 32 }), { maxLength: 53 })
    const extra = fc.oneof(anyBytes({ minLength: 1, maxLength: 99 }), fc.constant(new Uint8Array(MAX_EXTRA_LENGTH)))
    fc.assert(
      fc.property(fc.record({ index, proof, extra }, { requiredKeys: ['index', 'proof'] }), (some) => {
        const whole = { ...some, checkpoint }
        expect(parseTlogProof(encodeTlogProof(whole))).toEqual(whole)
      }),
      { numRuns: 40 },
    )
  })

  test('of any bytes give codes of this package or are written back as they were', () => {
    const pieces = ['c2sp.org/tlog-proof@v1', '\n', '\n\n', 'index 1', 'extra AAAA', first, fromUtf8(checkpoint), ' ']
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => utf8(parts.join('')))
    const cut = fc.tuple(fc.nat(good.length), fc.nat(good.length), fc.constantFrom(...pieces)).map(([a, b, piece]) => {
      return utf8(good.slice(0, Math.min(a, b)) + piece + good.slice(Math.max(a, b)))
    })
    fc.assert(
      fc.property(fc.oneof(text, cut, anyBytes({})), (input) => {
        let written: string | undefined
        const code = codeOf(() => {
          written = fromUtf8(encodeTlogProof(parseTlogProof(input)))
        })
        if (code === undefined) expect(written).toBe(fromUtf8(input))
        else expect(code).toMatch(/^AUDIT_(?:PROOF|NOTE|CHECKPOINT)_INVALID$/)
        expect(codeOf(() => verifyTlogProof(input, { leaf: utf8('x'), origin, keys }))).toMatch(/^AUDIT_/)
      }),
      { numRuns: fuzzRuns(2000) },
    )
  })
})
