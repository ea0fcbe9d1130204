import { createPrivateKey, createPublicKey, verify } from 'node:crypto'
import { fromUtf8, utf8 } from '@vault/core'
import { describe, expect, test } from 'vitest'
import type { Note, NoteSignature } from '../src/index.ts'
import {
  cosignedMessage,
  cosignerKeyId,
  createCosigner,
  createNoteSigner,
  formatCosignerVkey,
  noteKeyId,
  parseCosignerVkey,
  parseNote,
  parseVkey,
  verifyCosignature,
  verifyNote,
} from '../src/index.ts'
import { codeOf, flip, signerOf } from './support.ts'

const TEXT = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'
const TIME = 1_679_315_147
const clock = () => new Date(TIME * 1000 + 999)
const witness = createCosigner({ name: 'witness.example.com/w1', signer: signerOf(1), clock })

const withTime = (signature: NoteSignature, time: bigint): NoteSignature => {
  const field = new Uint8Array(signature.signature)
  new DataView(field.buffer).setBigUint64(0, time)
  return { ...signature, signature: field }
}

describe('the published example', () => {
  // C2SP tlog-cosignature; its keys are not published.
  test('has the message and the time of its text', () => {
    expect(fromUtf8(cosignedMessage(TEXT, TIME))).toBe(`cosignature/v1\ntime 1679315147\n${TEXT}`)
    const lines =
      '— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n' +
      '— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n'
    const [, cosignature] = parseNote(utf8(`${TEXT}\n${lines}`)).signatures
    expect(cosignature).toMatchObject({ name: 'witness.example.com/w1', keyId: 0x8d66cf3f })
    expect(cosignature?.signature).toHaveLength(72)
    expect(new DataView(cosignature?.signature.buffer as ArrayBuffer).getBigUint64(0)).toBe(BigInt(TIME))
  })
})

describe('createCosigner', () => {
  test('writes the time in whole seconds and an Ed25519 signature that others verify', async () => {
    const { name, keyId, signature } = await witness.cosign(TEXT)
    expect([name, keyId, signature.length]).toEqual(['witness.example.com/w1', cosignerKeyId(witness.key), 72])
    expect(signature.subarray(0, 8)).toEqual(Uint8Array.of(0, 0, 0, 0, 0x64, 0x18, 0x50, 0xcb))
    const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 1)])
    const key = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }))
    const message = Buffer.from(`cosignature/v1\ntime 1679315147\n${TEXT}`)
    expect(verify(null, message, key, signature.subarray(8))).toBe(true)
  })

  test.each(['hello\n', '', `${TEXT}\n`, TEXT.slice(0, -1), `cosignature/v1\ntime 1\n${TEXT}`])(
    'cosigns nothing but checkpoints: %j',
    async (text) => {
      await expect(witness.cosign(text)).rejects.toMatchObject({ code: 'AUDIT_CHECKPOINT_INVALID' })
    },
  )

  test('does not pass on a bad signature of its signer', async () => {
    const signer = { key: signerOf(1).key, sign: signerOf(2).sign }
    const bad = createCosigner({ name: 'w', signer, clock })
    await expect(bad.cosign(TEXT)).rejects.toMatchObject({ code: 'AUDIT_NOTE_INVALID' })
  })

  test.each([-1, Number.NaN])('does not cosign at a time that is none: %d', async (time) => {
    const early = createCosigner({ name: 'w', signer: signerOf(1), clock: () => new Date(time) })
    await expect(early.cosign(TEXT)).rejects.toThrow(RangeError)
  })

  test('refuses a name that no key may have', () => {
    expect(codeOf(() => createCosigner({ name: 'a b', signer: signerOf(1), clock }))).toBe('AUDIT_KEY_INVALID')
  })
})

describe('verifyCosignature', () => {
  const noteOf = (...signatures: readonly NoteSignature[]): Note => ({ text: TEXT, signatures })

  test('gives the time, the latest of several', async () => {
    const early = createCosigner({ ...witness.key, signer: signerOf(1), clock: () => new Date(5000) })
    const [first, last] = [await early.cosign(TEXT), await witness.cosign(TEXT)]
    expect(verifyCosignature(noteOf(first), witness.key)).toBe(5)
    expect(verifyCosignature(noteOf(last, first), witness.key)).toBe(TIME)
    expect(verifyCosignature(noteOf(first, last), witness.key)).toBe(TIME)
  })

  test('ignores all others: other names, other keys, and signatures of the same key that are no cosignatures', async () => {
    const { name, key } = witness.key
    const cosignature = await witness.cosign(TEXT)
    const signature = await createNoteSigner({ name, signer: signerOf(1) }).sign(TEXT)
    const note = noteOf(signature, { ...cosignature, name: 'w' }, { ...cosignature, keyId: 1 })
    expect(verifyCosignature(note, witness.key)).toBe(undefined)
    expect(verifyCosignature(noteOf(cosignature), { name, key: signerOf(2).key })).toBe(undefined)
    expect(verifyNote(noteOf(cosignature), [{ name, key }])).toEqual([])
  })

  test('throws where a cosignature of this cosigner is not good', async () => {
    const good = await witness.cosign(TEXT)
    const spoilt: readonly NoteSignature[] = [
      ...[0, 7, 8, 71].map((index) => ({ ...good, signature: flip(good.signature, index) })),
      { ...good, signature: good.signature.slice(0, 71) },
      { ...good, signature: Uint8Array.of(...good.signature, 0) },
      { ...good, signature: good.signature.slice(8) },
      { ...good, signature: good.signature.slice(0, 1) },
      { ...good, signature: good.signature.slice(0, 8) },
      withTime(good, 2n ** 53n),
      withTime(good, 2n ** 64n - 1n),
    ]
    for (const bad of spoilt) {
      expect(codeOf(() => verifyCosignature(noteOf(bad), witness.key))).toBe('AUDIT_NOTE_INVALID')
      expect(codeOf(() => verifyCosignature(noteOf(good, bad), witness.key))).toBe('AUDIT_NOTE_INVALID')
    }
    const other = { text: TEXT.replace('20852163', '20852164'), signatures: [good] }
    expect(codeOf(() => verifyCosignature(other, witness.key))).toBe('AUDIT_NOTE_INVALID')
    const none = { text: 'hello\n', signatures: [good] }
    expect(codeOf(() => verifyCosignature(none, witness.key))).toBe('AUDIT_CHECKPOINT_INVALID')
  })
})

describe('vkeys of cosigners', () => {
  test('are others than those for notes, with another id', () => {
    const vkey = formatCosignerVkey(witness.key)
    expect(parseCosignerVkey(vkey)).toEqual(witness.key)
    expect(cosignerKeyId(witness.key)).not.toBe(noteKeyId(witness.key))
    expect(codeOf(() => parseVkey(vkey))).toBe('AUDIT_KEY_INVALID')
  })

  test('are read as others write them', () => {
    // From the tests of tlog_proof in Project Oak.
    const vkey = 'test-witness+26349ef0+BIQDFTUlktisMqJzWn8qhteWrRr4dLcQ9R37T+8LQyQF'
    expect(formatCosignerVkey(parseCosignerVkey(vkey))).toBe(vkey)
    expect(codeOf(() => parseCosignerVkey(vkey.replace('26349ef0', '26349ef1')))).toBe('AUDIT_KEY_INVALID')
  })

  test('cosignedMessage takes no time before 1970 or after 2^53', () => {
    for (const time of [-1, 0.5, 2 ** 53, Number.NaN]) expect(() => cosignedMessage(TEXT, time)).toThrow(RangeError)
    expect(cosignedMessage('', Number.MAX_SAFE_INTEGER)).toHaveLength(15 + 5 + 16 + 1)
  })
})
