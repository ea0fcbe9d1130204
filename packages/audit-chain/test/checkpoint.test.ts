import { fromUtf8, hashBytes, utf8 } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Checkpoint } from '../src/index.ts'
import {
  createNoteSigner,
  encodeNote,
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVkey,
  signCheckpoint,
  verifyNote,
} from '../src/index.ts'
import { anyCheckpoint } from './arbitrary.ts'
import { codeOf, flip, fuzzRuns, signerOf } from './support.ts'

const ROOT = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I='
/** The example of C2SP tlog-checkpoint. */
const EXAMPLE = `example.com/behind-the-sofa\n20852163\n${ROOT}\n`

describe('parseCheckpoint and formatCheckpoint', () => {
  test('the published example', () => {
    const checkpoint = parseCheckpoint(EXAMPLE)
    expect(checkpoint).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163, extensions: [] })
    expect(Buffer.from(checkpoint.root).toString('hex')).toBe(
      '0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62',
    )
    expect(formatCheckpoint(checkpoint)).toBe(EXAMPLE)
  })

  test.each([
    ['an empty tree', `o\n0\n${ROOT}\n`],
    ['the greatest size', `o\n${Number.MAX_SAFE_INTEGER}\n${ROOT}\n`],
    ['an origin with spaces and plus signs', `go.sum database tree + é\n5\n${ROOT}\n`],
    ['extension lines', `o\n5\n${ROOT}\na\n— b c\n`],
  ])('accepts: %s', (_, text) => {
    expect(formatCheckpoint(parseCheckpoint(text))).toBe(text)
  })

  test.each([
    ['nothing', ''],
    ['two lines', 'o\n5\n'],
    ['no last line feed', EXAMPLE.slice(0, -1)],
    ['an empty origin', `\n5\n${ROOT}\n`],
    ['an empty size', `o\n\n${ROOT}\n`],
    ['a leading zero', `o\n05\n${ROOT}\n`],
    ['two zeros', `o\n00\n${ROOT}\n`],
    ['a sign', `o\n+5\n${ROOT}\n`],
    ['a negative size', `o\n-5\n${ROOT}\n`],
    ['a fraction', `o\n5.0\n${ROOT}\n`],
    ['an exponent', `o\n1e3\n${ROOT}\n`],
    ['hexadecimal', `o\n0x5\n${ROOT}\n`],
    ['a space before the size', `o\n 5\n${ROOT}\n`],
    ['other digits', `o\n٥\n${ROOT}\n`],
    ['2^53', `o\n9007199254740992\n${ROOT}\n`],
    ['a size of 17 digits', `o\n10000000000000000\n${ROOT}\n`],
    ['an empty root', 'o\n5\n\n'],
    ['a root of 31 bytes', `o\n5\n${Buffer.alloc(31).toString('base64')}\n`],
    ['a root of 33 bytes', `o\n5\n${Buffer.alloc(33).toString('base64')}\n`],
    ['a root without padding', `o\n5\n${ROOT.slice(0, -1)}\n`],
    ['a root whose unused bits are set', `o\n5\n${ROOT.replace('2I=', '2J=')}\n`],
    ['a root and a space', `o\n5\n${ROOT} \n`],
    ['an empty extension line', `${EXAMPLE}\n`],
    ['an empty line before an extension', `${EXAMPLE}\na\n`],
    ['a carriage return', EXAMPLE.replaceAll('\n', '\r\n')],
    ['a lone surrogate', `\ud800\n5\n${ROOT}\n`],
  ])('refuses: %s', (_, text) => {
    expect(codeOf(() => parseCheckpoint(text))).toBe('AUDIT_CHECKPOINT_INVALID')
  })

  const good = parseCheckpoint(EXAMPLE)
  test.each<[string, Checkpoint]>([
    ['an origin of two lines', { ...good, origin: 'a\nb' }],
    ['an origin of two lines, the second a size', { ...good, origin: `a\n5\n${ROOT}` }],
    ['an empty origin', { ...good, origin: '' }],
    ['a negative size', { ...good, size: -1 }],
    ['half an entry', { ...good, size: 0.5 }],
    ['no size', { ...good, size: Number.NaN }],
    ['2^53', { ...good, size: 2 ** 53 }],
    ['a short root', { ...good, root: new Uint8Array(31) }],
    ['an empty extension', { ...good, extensions: ['a', ''] }],
    ['an extension of two lines', { ...good, extensions: ['a\nb'] }],
    ['a tab', { ...good, extensions: ['a\tb'] }],
  ])('does not write: %s', (_, checkpoint) => {
    expect(codeOf(() => formatCheckpoint(checkpoint))).toBe('AUDIT_CHECKPOINT_INVALID')
  })

  test('what is written is read', () => {
    fc.assert(
      fc.property(anyCheckpoint, (checkpoint) => {
        expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint)
      }),
    )
  })

  test('any text gives AUDIT_CHECKPOINT_INVALID or is written back as it was', () => {
    const pieces = ['\n', 'o', '5', '0', '10', ROOT, ' ', `o\n5\n${ROOT}\n`, '\t', '\ud800']
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 9 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: 'binary' })), (input) => {
        let written: string | undefined
        const code = codeOf(() => {
          written = formatCheckpoint(parseCheckpoint(input))
        })
        expect(code ?? written).toBe(code === undefined ? input : 'AUDIT_CHECKPOINT_INVALID')
      }),
      { numRuns: fuzzRuns(3000) },
    )
  })
})

test('a checkpoint of the Go checksum database, whose key has another name than its origin', () => {
  // As printed in the README of addrwitness in google/trillian-examples, with the key built into the Go tools.
  const key = parseVkey('sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8')
  const line =
    '— sum.golang.org Az3grp1rvWOs5NKlr/xR4GLN/CDyzzakmt1o61uSxYKpK1SerqOP2ClbX/peKUZjYnyomH5Xz7GZG3TpB7OeKn4E2ww=\n'
  const origin = 'go.sum database tree'
  const bytes = utf8(`${origin}\n15067302\ngJyioq6dwR9n+NjEWORfYmH+ubeYm3kH42BBQ0bTpYI=\n\n${line}`)
  const note = parseNote(bytes)
  expect(parseCheckpoint(note.text)).toMatchObject({ origin, size: 15_067_302, extensions: [] })
  expect(verifyNote(note, [key])).toEqual([key])
  expect(codeOf(() => openCheckpoint(bytes, { origin, keys: [key] }))).toBe('AUDIT_CHECKPOINT_UNTRUSTED')
})

describe('signCheckpoint and openCheckpoint', () => {
  const origin = 'vault.example/audit'
  const checkpoint: Checkpoint = { origin, size: 3, root: hashBytes('sha2-256', utf8('root')), extensions: [] }
  const log = createNoteSigner({ name: origin, signer: signerOf(1) })
  const next = createNoteSigner({ name: origin, signer: signerOf(2) })
  const friend = createNoteSigner({ name: 'friend.example', signer: signerOf(3) })

  test('a checkpoint comes back with those who signed it', async () => {
    const bytes = await signCheckpoint(checkpoint, [log, friend])
    expect(fromUtf8(bytes).startsWith(`${origin}\n3\n`)).toBe(true)
    const opened = openCheckpoint(bytes, { origin, keys: [friend.key, next.key, log.key] })
    expect(opened.checkpoint).toEqual(checkpoint)
    expect(opened.signedBy).toEqual([friend.key, log.key])
    expect(encodeNote(opened.note)).toEqual(bytes)
  })

  test('the new key of a log is as good as the old one, while both sign', async () => {
    const bytes = await signCheckpoint(checkpoint, [log, next])
    for (const { key } of [log, next]) {
      expect(openCheckpoint(bytes, { origin, keys: [key] }).signedBy).toEqual([key])
    }
  })

  test('is not trusted without a signature under the name of the log', async () => {
    const bytes = await signCheckpoint(checkpoint, [log, friend])
    const untrusted = (keys: (typeof log.key)[], expected = origin, note = bytes) =>
      codeOf(() => openCheckpoint(note, { origin: expected, keys }))
    expect(untrusted([])).toBe('AUDIT_CHECKPOINT_UNTRUSTED')
    expect(untrusted([next.key])).toBe('AUDIT_CHECKPOINT_UNTRUSTED')
    expect(untrusted([friend.key])).toBe('AUDIT_CHECKPOINT_UNTRUSTED')
    expect(untrusted([log.key, friend.key], 'friend.example')).toBe('AUDIT_CHECKPOINT_UNTRUSTED')
    expect(untrusted([log.key], `${origin}2`)).toBe('AUDIT_CHECKPOINT_UNTRUSTED')
  })

  test('is not signed without a signer under the name of the log', async () => {
    await expect(signCheckpoint(checkpoint, [friend])).rejects.toThrow(RangeError)
    await expect(signCheckpoint(checkpoint, [])).rejects.toThrow(RangeError)
  })

  test('no byte of it can be changed', async () => {
    const bytes = await signCheckpoint(checkpoint, [log])
    const codes = new Set<string | undefined>()
    for (let i = 0; i < bytes.length; i++) {
      for (const mask of [0x01, 0x20, 0x80]) {
        codes.add(codeOf(() => openCheckpoint(flip(bytes, i, mask), { origin, keys: [log.key] })))
      }
      codes.add(codeOf(() => openCheckpoint(bytes.subarray(0, i), { origin, keys: [log.key] })))
    }
    expect([...codes].sort()).toEqual(['AUDIT_CHECKPOINT_INVALID', 'AUDIT_CHECKPOINT_UNTRUSTED', 'AUDIT_NOTE_INVALID'])
  })

  test('a signed note that is no checkpoint is refused before its signatures are looked at', async () => {
    const text = 'hello\n'
    const bytes = encodeNote({ text, signatures: [await log.sign(text)] })
    expect(codeOf(() => openCheckpoint(bytes, { origin, keys: [log.key] }))).toBe('AUDIT_CHECKPOINT_INVALID')
  })

  test('a bad signature of a known key spoils it, of an unknown key it does not', async () => {
    const note = parseNote(await signCheckpoint(checkpoint, [log, friend]))
    const signatures = note.signatures.map((each) =>
      each.name === origin ? each : { ...each, signature: flip(each.signature, 3) },
    )
    const bytes = encodeNote({ ...note, signatures })
    expect(openCheckpoint(bytes, { origin, keys: [log.key] }).signedBy).toEqual([log.key])
    expect(codeOf(() => openCheckpoint(bytes, { origin, keys: [log.key, friend.key] }))).toBe('AUDIT_NOTE_INVALID')
  })
})
