import type { Bytes } from '@vault/core'
import { createSigner, fromUtf8, toHex, utf8 } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Note, NoteKey } from '../src/index.ts'
import {
  createNoteSigner,
  encodeNote,
  formatSignatureLines,
  formatVkey,
  MAX_NOTE_LENGTH,
  MAX_NOTE_SIGNATURES,
  noteKeyId,
  parseNote,
  parseSignatureLines,
  parseVkey,
  verifyNote,
} from '../src/index.ts'
import { anyNote } from './arbitrary.ts'
import { codeOf, flip, fuzzRuns, signerOf } from './support.ts'

// The examples of C2SP signed-note and of the documentation of golang.org/x/mod/sumdb/note.
const EXAMPLES = [
  {
    vkey: 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    text: 'This is an example message.\n',
    line: '— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n',
  },
  {
    vkey: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
    line: '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
  },
] as const
const [FOO, PETER] = EXAMPLES
const LINE = FOO.line

const bytesOf = ({ text, line }: { readonly text: string; readonly line: string }): Bytes => utf8(`${text}\n${line}`)

describe('published notes', () => {
  test.each(EXAMPLES)('$vkey', ({ vkey, text, line }) => {
    const key = parseVkey(vkey)
    expect(formatVkey(key)).toBe(vkey)
    expect(vkey.split('+')[1]).toBe(noteKeyId(key).toString(16))
    const note = parseNote(bytesOf({ text, line }))
    expect(note.text).toBe(text)
    expect(verifyNote(note, [key])).toEqual([key])
    expect(fromUtf8(encodeNote(note))).toBe(`${text}\n${line}`)
    expect(formatSignatureLines(parseSignatureLines(line))).toBe(line)
  })

  test('without a published key: that of signed-note with a blank line in its text', () => {
    const text = 'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n'
    const line =
      '— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n'
    const note = parseNote(bytesOf({ text, line }))
    expect(note).toMatchObject({ text, signatures: [{ name: 'quasimodo.example/salvatore', keyId: 0x367ba04b }] })
    expect(note.signatures[0]?.signature).toHaveLength(64)
  })
})

describe('parseNote', () => {
  const base64 = LINE.slice('— example.com/foo '.length, -1)
  const short = (bytes: number) => `— a ${Buffer.alloc(bytes).toString('base64')}\n`

  test.each([
    ['the text ends at the last blank line', `a\n\n— b AAAAAAA=\n\n${LINE}`, 'a\n\n— b AAAAAAA=\n'],
    ['the text may end with a blank line', `a\n\n\n${LINE}`, 'a\n\n'],
    ['the text may be one line feed', `\n\n${LINE}`, '\n'],
    ['DEL and C1 controls are allowed', `\u007f\u0080\n\n${LINE}`, '\u007f\u0080\n'],
    ['a byte order mark is part of the text', `\ufeffa\n\n${LINE}`, '\ufeffa\n'],
    ['a signature of one byte', `a\n\n${short(5)}`, 'a\n'],
    ['a name with any letters', `a\n\n— \u{1f511}é/— AAAAAAA=\n`, 'a\n'],
  ])('accepts: %s', (_, content, text) => {
    expect(parseNote(utf8(content)).text).toBe(text)
    expect(fromUtf8(encodeNote(parseNote(utf8(content))))).toBe(content)
  })

  test.each([
    ['nothing', ''],
    ['text alone', 'a\n'],
    ['a signature alone', LINE],
    ['no text before the blank line', `\n${LINE}`],
    ['no blank line', `a\n${LINE}`],
    ['no signature', 'a\n\n'],
    ['no last line feed', `a\n\n${LINE}`.slice(0, -1)],
    ['text after the signatures', `a\n\n${LINE}b\n`],
    ['a line feed after the signatures', `a\n\n${LINE}\n`],
    ['a hyphen', `a\n\n-${LINE.slice(1)}`],
    ['an en dash', `a\n\n–${LINE.slice(1)}`],
    ['no space after the dash', `a\n\n—${LINE.slice(2)}`],
    ['two spaces after the dash', `a\n\n—  ${LINE.slice(2)}`],
    ['two spaces after the name', `a\n\n— n  ${base64}\n`],
    ['a space at the end', `a\n\n— n ${base64} \n`],
    ['no name', `a\n\n— ${base64}\n`],
    ['an empty name', `a\n\n—  ${base64}\n`],
    ['a name with a plus', `a\n\n— n+m ${base64}\n`],
    ['a name with a no-break space', `a\n\n— n\u00a0m ${base64}\n`],
    ['a name with a next-line control', `a\n\n— n\u0085m ${base64}\n`],
    ['a name with an ideographic space', `a\n\n— n\u3000m ${base64}\n`],
    ['a tab', `a\tb\n\n${LINE}`],
    ['a carriage return', `a\r\n\n${LINE}`],
    ['carriage returns everywhere', `a\n\n${LINE}`.replaceAll('\n', '\r\n')],
    ['a zero byte', `a\0\n\n${LINE}`],
    ['a signature of an id only', `a\n\n${short(4)}`],
    ['a signature without padding', `a\n\n${LINE.replace('=', '')}`],
    ['a signature with too much padding', `a\n\n${LINE.replace('=', '====')}`],
    ['a signature with padding inside', 'a\n\n— a AAA=AAAA\n'],
    ['a signature whose unused bits are set', `a\n\n${LINE.replace('QM=', 'QN=')}`],
    ['a signature in URL-safe base64', `a\n\n${LINE.replace('+', '-').replaceAll('/', '_')}— a AAAA_A==\n`],
    ['one bad signature after a good one', `a\n\n${LINE}— a AAAA\n`],
  ])('refuses: %s', (_, content) => {
    expect(codeOf(() => parseNote(utf8(content)))).toBe('AUDIT_NOTE_INVALID')
  })

  test.each([
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a lone continuation', [0x80]],
    ['a cut sequence', [0xe2, 0x80]],
  ])('refuses text that is not UTF-8: %s', (_, bytes) => {
    const content = Uint8Array.from([...bytes, ...utf8(`\n\n${LINE}`)])
    expect(codeOf(() => parseNote(content))).toBe('AUDIT_NOTE_INVALID')
  })

  test('holds to its limits', () => {
    const signed = (count: number) => utf8(`a\n\n${LINE.repeat(count)}`)
    expect(parseNote(signed(MAX_NOTE_SIGNATURES)).signatures).toHaveLength(100)
    expect(codeOf(() => parseNote(signed(MAX_NOTE_SIGNATURES + 1)))).toBe('AUDIT_NOTE_INVALID')
    const tail = utf8(`\n\n${LINE}`).length
    const long = (length: number) => utf8(`${'a'.repeat(length - tail)}\n\n${LINE}`)
    expect(parseNote(long(MAX_NOTE_LENGTH)).text).toHaveLength(MAX_NOTE_LENGTH - tail + 1)
    expect(codeOf(() => parseNote(long(MAX_NOTE_LENGTH + 1)))).toBe('AUDIT_NOTE_INVALID')
  })

  test('gives AUDIT_NOTE_INVALID and nothing else for any bytes, and what it takes is written back', () => {
    const pieces = ['\n', '\n\n', '— ', 'a', ' ', '+', '=', 'AAAAAAA=', '\u00a0', '\r', LINE, `a\n\n${LINE}`]
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => utf8(parts.join('')))
    fc.assert(
      fc.property(fc.oneof(text, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        let note: Note | undefined
        const code = codeOf(() => {
          note = parseNote(bytes)
        })
        if (note === undefined) expect(code).toBe('AUDIT_NOTE_INVALID')
        else expect(toHex(encodeNote(note))).toBe(toHex(bytes))
      }),
      { numRuns: fuzzRuns(3000) },
    )
  })
})

describe('encodeNote', () => {
  test('writes what parseNote reads', () => {
    fc.assert(
      fc.property(anyNote, (note) => {
        expect(parseNote(encodeNote(note))).toEqual(note)
      }),
    )
  })

  const signature = { name: 'a', keyId: 0, signature: new Uint8Array(1) }
  test.each<[string, Note]>([
    ['no signatures', { text: 'a\n', signatures: [] }],
    ['too many', { text: 'a\n', signatures: Array(101).fill(signature) }],
    ['text without a line feed', { text: 'a', signatures: [signature] }],
    ['empty text', { text: '', signatures: [signature] }],
    ['a lone surrogate in the text', { text: '\ud800\n', signatures: [signature] }],
    ['a lone surrogate in a name', { text: 'a\n', signatures: [{ ...signature, name: '\udc00' }] }],
    ['an empty name', { text: 'a\n', signatures: [{ ...signature, name: '' }] }],
    ['a name of two lines', { text: 'a\n', signatures: [{ ...signature, name: 'a\nb' }] }],
    ['a name with an escape', { text: 'a\n', signatures: [{ ...signature, name: 'a\u001b' }] }],
    ['an empty signature', { text: 'a\n', signatures: [{ ...signature, signature: new Uint8Array() }] }],
    ['a negative id', { text: 'a\n', signatures: [{ ...signature, keyId: -1 }] }],
    ['an id of 33 bits', { text: 'a\n', signatures: [{ ...signature, keyId: 2 ** 32 }] }],
    ['half an id', { text: 'a\n', signatures: [{ ...signature, keyId: 0.5 }] }],
    ['too much text', { text: `${'a'.repeat(MAX_NOTE_LENGTH)}\n`, signatures: [signature] }],
  ])('refuses: %s', (_, note) => {
    expect(codeOf(() => encodeNote(note))).toBe('AUDIT_NOTE_INVALID')
  })
})

describe('vkeys', () => {
  test.each([
    ['nothing', ''],
    ['a name alone', 'example.com/foo'],
    ['no id', FOO.vkey.replace('530d903a+', '')],
    ['another id', FOO.vkey.replace('530d903a', '530d903b')],
    ['another name', FOO.vkey.replace('foo', 'fop')],
    ['an id in upper case', FOO.vkey.replace('a+', 'A+')],
    ['a short id', FOO.vkey.replace('530d903a', '30d903a')],
    ['no name', FOO.vkey.replace('example.com/foo', '')],
    ['a name with a space', FOO.vkey.replace('foo', 'f o')],
    ['a line feed at the end', `${FOO.vkey}\n`],
    ['a plus at the end', `${FOO.vkey}+`],
    ['bad base64', `${FOO.vkey}=`],
    ['type 2', FOO.vkey.replace('+Ae', '+Au')],
    ['type 4, of cosignatures', FOO.vkey.replace('+Ae', '+BO')],
    ['a key of 31 bytes', `a+3ee02a5f+${Buffer.from([1, ...Array(31).fill(7)]).toString('base64')}`],
    ['too long', FOO.vkey.replace('foo', 'o'.repeat(5000))],
  ])('refuses: %s', (_, vkey) => {
    expect(codeOf(() => parseVkey(vkey))).toBe('AUDIT_KEY_INVALID')
  })

  test('give AUDIT_KEY_INVALID and nothing else for any text, and one text per key', () => {
    const pieces = ['example.com/foo', '+', '530d903a', 'AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k', ' ', '\n', 'A']
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 7 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: 'binary' }), fc.constant(FOO.vkey)), (vkey) => {
        let key: NoteKey | undefined
        const code = codeOf(() => {
          key = parseVkey(vkey)
        })
        expect(key === undefined ? code : formatVkey(key)).toBe(key === undefined ? 'AUDIT_KEY_INVALID' : vkey)
      }),
      { numRuns: fuzzRuns(2000) },
    )
  })

  test.each(['', 'a b', 'a+b', 'a\n', '\ud800'])('are not made for the name %j', (name) => {
    expect(codeOf(() => formatVkey({ name, key: signerOf(1).key }))).toBe('AUDIT_KEY_INVALID')
    expect(codeOf(() => createNoteSigner({ name, signer: signerOf(1) }))).toBe('AUDIT_KEY_INVALID')
  })
})

describe('verifyNote', () => {
  const text = 'an entry\n'
  const [one, two] = [1, 2].map((seed) => createNoteSigner({ name: 'log.example', signer: signerOf(seed) }))
  const third = createNoteSigner({ name: 'other.example', signer: signerOf(1) })
  if (one === undefined || two === undefined) throw new Error('two signers')

  test('gives the keys that signed, once each and in the order of the keys', async () => {
    const signatures = [await third.sign(text), await two.sign(text), await one.sign(text), await two.sign(text)]
    const note = { text, signatures }
    expect(verifyNote(note, [one.key, two.key, { ...one.key }])).toEqual([one.key, two.key])
    expect(verifyNote(note, [third.key])).toEqual([third.key])
    expect(verifyNote(note, [])).toEqual([])
  })

  test('ignores unknown keys, even of the same name or the same id', async () => {
    const signature = await one.sign(text)
    const ids = [{ ...signature, keyId: signature.keyId ^ 1 }]
    const names = [{ ...signature, name: 'log.example2' }]
    for (const signatures of [ids, names, [await two.sign(text)]]) {
      expect(verifyNote({ text, signatures }, [one.key])).toEqual([])
    }
  })

  test('throws where a signature of a known key is not good, wherever it stands', async () => {
    const good = await one.sign(text)
    const other = await two.sign(text)
    const bad = { ...good, signature: flip(good.signature, 40) }
    const cut = { ...good, signature: good.signature.slice(0, 63) }
    const stolen = { ...good, signature: other.signature }
    for (const signatures of [[bad], [good, bad], [bad, good], [other, bad], [cut], [stolen]]) {
      expect(codeOf(() => verifyNote({ text, signatures }, [one.key, two.key]))).toBe('AUDIT_NOTE_INVALID')
    }
    expect(codeOf(() => verifyNote({ text: 'an entrz\n', signatures: [good] }, [one.key]))).toBe('AUDIT_NOTE_INVALID')
  })

  test('two known keys of one name and one id: the signature has to be that of either', async () => {
    // Two of the first 35,866 secret keys that are a big-endian counter: their ids are equal under this name.
    const colliding = [8575, 35_865].map((counter) => {
      const secretKey = new Uint8Array(32)
      new DataView(secretKey.buffer).setUint32(0, counter)
      return createNoteSigner({ name: 'log.example', signer: createSigner(secretKey) })
    })
    const [left, right] = colliding
    if (left === undefined || right === undefined) throw new Error('two signers')
    expect([noteKeyId(left.key), noteKeyId(right.key)]).toEqual([0xb07550d1, 0xb07550d1])
    const keys = [left.key, right.key]
    const [byLeft, byRight] = [await left.sign(text), await right.sign(text)]
    expect(verifyNote({ text, signatures: [byRight] }, keys)).toEqual([right.key])
    expect(verifyNote({ text, signatures: [byRight, byLeft] }, keys)).toEqual(keys)
    const forged = { ...byLeft, signature: flip(byLeft.signature, 0) }
    expect(codeOf(() => verifyNote({ text, signatures: [forged] }, keys))).toBe('AUDIT_NOTE_INVALID')
    expect(codeOf(() => verifyNote({ text, signatures: [byRight] }, [left.key]))).toBe('AUDIT_NOTE_INVALID')
  })
})

describe('createNoteSigner', () => {
  test('signs nothing that could pass for something else', async () => {
    const { sign } = createNoteSigner({ name: 'log.example', signer: signerOf(1) })
    for (const text of ['cosignature/v1\ntime 1\nlog.example\n0\n', 'no line feed', 'vault/key/v1\0\n']) {
      await expect(sign(text)).rejects.toMatchObject({ code: 'AUDIT_NOTE_INVALID' })
    }
  })

  test('does not pass on a bad signature of its signer', async () => {
    const signer = { key: signerOf(1).key, sign: signerOf(2).sign }
    const { sign } = createNoteSigner({ name: 'log.example', signer })
    await expect(sign('a\n')).rejects.toMatchObject({ code: 'AUDIT_NOTE_INVALID' })
  })

  test('stops with the reason of the signal', async () => {
    const reason = new Error('enough')
    const { sign } = createNoteSigner({ name: 'log.example', signer: signerOf(1) })
    await expect(sign('a\n', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  test('every other published text is one that it can sign', async () => {
    const signer = createNoteSigner({ name: PETER.vkey.split('+')[0] as string, signer: signerOf(3) })
    const signatures = [await signer.sign(PETER.text)]
    expect(verifyNote({ text: PETER.text, signatures }, [signer.key])).toEqual([signer.key])
  })
})
