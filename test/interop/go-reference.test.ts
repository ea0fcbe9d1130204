import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  createCosigner,
  createNoteSigner,
  encodeEvent,
  encodeNote,
  entriesPath,
  formatVkey,
  openTrail,
  parseNote,
  parseTlogProof,
  parseVkey,
  type Trail,
  tilePath,
  verifyTrail,
} from '@vault/audit-chain'
import { type Bytes, createSigner, generateSecretKey, systemClock, systemRandom, utf8 } from '@vault/core'
import {
  type LogNode,
  type LogNodes,
  leafHash,
  logRoot,
  nodeHash,
  proveConsistency,
  proveInclusion,
} from '@vault/merkle'
import { openFsLogStore } from '@vault/store-fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Claim, fromBase64, judge, toBase64 } from './claim.ts'
import { forgeriesOf, resizedOf } from './forge.ts'
import { buildGoReference, type GoReference, goFindings } from './go-reference.ts'

const ORIGIN = 'vault.example/audit'
/** Sizes of which there are checkpoints: beside full and partial tiles, and partial ones of earlier sizes. */
const SIZES = [1, 2, 3, 100, 255, 256, 257, 511, 512, 600, 700]
const SIZE = 700
/** Sizes at which tiles, 32-bit numbers and safe integers end. */
const LARGE = [257, 65_535, 65_536, 65_537, 2 ** 24 + 1, 2 ** 31 - 1, 2 ** 32 + 1, 2 ** 52 + 3, Number.MAX_SAFE_INTEGER]

const signer = createSigner(generateSecretKey(systemRandom))
const key = { name: ORIGIN, key: signer.key }
const vkey = formatVkey(key)

let folder: string
let go: GoReference
let ours: string
let trail: Trail
let entries: readonly Bytes[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vault-go-'))
  go = buildGoReference(folder)
  ours = join(folder, 'ours')
  const store = await openFsLogStore({ dir: ours, mode: 'write' })
  trail = await openTrail({ origin: ORIGIN, store, keys: [], signer, clock: systemClock })
  for (const size of SIZES) await trail.extend(trail.size, eventsBetween(trail.size, size))
  entries = await entriesOf(trail)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Events of many lengths. */
function eventsBetween(from: number, to: number): readonly Bytes[] {
  return Array.from({ length: to - from }, (_, i) =>
    encodeEvent({
      time: 1_700_000_000 + from + i,
      actor: { name: 'kim', proven: false },
      action: { verb: 'put', object: `path:photos/${'é'.repeat((from + i) % 300)}.jpg` },
      key: `event ${from + i}`,
    }),
  )
}

async function entriesOf(of: Trail): Promise<readonly Bytes[]> {
  const all: Bytes[] = []
  for await (const page of of.entries()) all.push(...page.map(({ bytes }) => bytes))
  return all
}

async function findingsOf(dir: string, by: string): Promise<readonly string[]> {
  const log = await openFsLogStore({ dir, mode: 'read' })
  const codes: string[] = []
  for await (const { findings } of verifyTrail({ log, origin: ORIGIN, keys: [parseVkey(by)] })) {
    codes.push(...findings.map(({ code }) => code))
  }
  return codes
}

/** The files of a log. */
function filesOf(dir: string): readonly string[] {
  const all = readdirSync(dir, { recursive: true, withFileTypes: true })
  const files = all.filter((item) => item.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return files.map((file) => file.slice(dir.length + 1))
}

/**
 * Runs on a log of which one file has another first or last byte, is cut, or is gone, for each file; returns their number.
 * It is a log as others see it: without the head that only its writers have.
 */
async function withDamage(dir: string, run: (damaged: string, what: string) => Promise<void>): Promise<number> {
  const damaged = join(folder, 'damaged')
  cpSync(dir, damaged, { recursive: true })
  rmSync(join(damaged, '.state'), { recursive: true, force: true })
  const files = filesOf(damaged)
  for (const file of files) {
    const path = join(damaged, file)
    const bytes = Uint8Array.from(readFileSync(path))
    const changes: Record<string, Uint8Array | undefined> = {
      'another last byte': bytes.with(-1, (bytes.at(-1) as number) ^ 1),
      'another first byte': bytes.with(0, (bytes[0] as number) ^ 1),
      'a byte less': bytes.subarray(0, -1),
    }
    // Kept checkpoints and tiles of earlier sizes may be gone: nobody needs them to verify the log.
    if (neededOf(SIZE).has(file)) changes.gone = undefined
    for (const [how, content] of Object.entries(changes)) {
      if (content === undefined) rmSync(path)
      else writeFileSync(path, content)
      await run(damaged, `${file}: ${how}`)
    }
    writeFileSync(path, bytes)
  }
  rmSync(damaged, { recursive: true })
  return files.length
}

/** What tlog-tiles asks of a log of 512 to 767 entries. */
function neededOf(size: number): ReadonlySet<string> {
  const width = size - 512
  const first = ['checkpoint', 'tile/0/000', 'tile/0/001', `tile/0/002.p/${width}`, 'tile/1/000.p/2']
  return new Set([...first, 'tile/entries/000', 'tile/entries/001', `tile/entries/002.p/${width}`])
}

/** Both sides take the claims for true, and all that is forged from them for untrue; of resized proofs they think alike. */
function expectAgreement(claims: readonly Claim[]): void {
  const refused = (reasons: readonly string[]) => claims.filter((_, i) => reasons[i] !== '')
  expect(refused(claims.map(judge))).toEqual([])
  expect(refused(go.judge(claims))).toEqual([])

  const forged = claims.flatMap((claim) => forgeriesOf(claim))
  const verdicts = go.judge(forged.map(([, claim]) => claim))
  expect(forged.filter(([, claim]) => judge(claim) === '')).toEqual([])
  expect(forged.filter((_, i) => verdicts[i] === '')).toEqual([])

  const resized = claims.flatMap((claim) => resizedOf(claim))
  const reasons = go.judge(resized)
  expect(resized.filter((claim, i) => (judge(claim) === '') !== (reasons[i] === ''))).toEqual([])
}

test('the program is as gofmt writes it, and go vet has nothing to say', () => {
  expect(goFindings(folder)).toBe('')
})

test('a log of ours, on disk, is one for sumdb: checkpoints, entries, tiles and their paths', () => {
  const { size, root, tiles, checkpoints } = go.check(ours, vkey)
  expect({ size, root, checkpoints }).toEqual({ size: SIZE, root: toBase64(trail.root), checkpoints: SIZES.length })
  const needed = [...neededOf(SIZE)].filter((path) => path.startsWith('tile/'))
  expect(tiles).toEqual(expect.arrayContaining(needed))
  // A reader of an older checkpoint finds the tiles that it names.
  expect(tiles).toContain('tile/0/002.p/88')
})

test('whatever is damaged in it, sumdb refuses it, and so do we', async () => {
  const count = await withDamage(ours, async (damaged, what) => {
    expect(() => go.check(damaged, vkey), what).toThrow()
    expect(await findingsOf(damaged, vkey), what).not.toEqual([])
  })
  expect(count).toBeGreaterThan(neededOf(SIZE).size + SIZES.length)
})

test('sumdb refuses the log under another key, and a tile at the path that sumdb itself would give it', () => {
  const other = createSigner(generateSecretKey(systemRandom))
  expect(() => go.check(ours, formatVkey({ name: ORIGIN, key: other.key }))).toThrow('no verifiable signatures')
  const moved = join(folder, 'moved')
  cpSync(ours, moved, { recursive: true })
  renameSync(join(moved, dirname(tilePath(0, 1))), join(moved, 'tile/8'))
  expect(() => go.check(moved, vkey)).toThrow()
})

test('what our log proves holds for sumdb, and what is forged from it for nobody', async () => {
  const claims: Claim[] = []
  for (const to of SIZES) {
    const note = (await trail.checkpointAt(to)) as Bytes
    claims.push({ kind: 'note', vkey, file: toBase64(note) }, { kind: 'checkpoint', vkey, file: toBase64(note) })
    const root = toBase64(await trail.rootAt(to))
    for (const index of new Set([0, 1, to >> 1, to - 2, to - 1])) {
      if (index < 0 || index >= to) continue
      const file = await trail.prove(index, to)
      const data = entries[index] as Bytes
      const proof = parseTlogProof(file).proof.map(toBase64)
      claims.push({ kind: 'proof', vkey, file: toBase64(file), data: toBase64(data) })
      claims.push({ kind: 'record', size: to, root, index, leaf: toBase64(leafHash(data)), proof })
    }
    for (const from of SIZES.filter((from) => from <= to)) {
      const fromRoot = toBase64(await trail.rootAt(from))
      const proof = (await trail.consistency(from, to)).map(toBase64)
      claims.push({ kind: 'tree', from, to, fromRoot, toRoot: root, proof })
    }
  }
  expectAgreement(claims)
})

test('so do our proofs about logs of any size', async () => {
  const subtrees = [leafHash(new Uint8Array(0))]
  for (let level = 1; level <= 52; level++) {
    const below = subtrees[level - 1] as Bytes
    subtrees.push(nodeHash(below, below))
  }
  const alike: LogNodes = {
    read: async (nodes: readonly LogNode[]) => nodes.map(({ level }) => subtrees[level] as Bytes),
  }
  const claims: Claim[] = []
  for (const size of LARGE) {
    const root = toBase64(await logRoot(alike, size))
    for (const index of [0, 1, Math.floor(size / 3), Math.floor(size / 2), size - 2, size - 1]) {
      const proof = (await proveInclusion(alike, { index, size })).map(toBase64)
      claims.push({ kind: 'record', size, root, index, leaf: toBase64(subtrees[0] as Bytes), proof })
      const from = index + 1
      const fromRoot = toBase64(await logRoot(alike, from))
      const growth = (await proveConsistency(alike, { from, to: size })).map(toBase64)
      claims.push({ kind: 'tree', from, to: size, fromRoot, toRoot: root, proof: growth })
    }
  }
  expectAgreement(claims)
})

test('the path of a tile is that of sumdb, but for the height', () => {
  const claims: Claim[] = []
  for (const index of [0, 1, 9, 10, 255, 256, 999, 1000, 1001, 123_456, 999_999, 1_000_000, 1_234_067, 2 ** 45]) {
    for (const width of [1, 2, 10, 99, 100, 255, 256]) {
      claims.push({ kind: 'path', level: -1, index, width, path: entriesPath(index, width) })
      for (const level of [0, 1, 2, 6, 8, 63]) {
        claims.push({ kind: 'path', level, index, width, path: tilePath(level, index, width) })
      }
    }
  }
  expectAgreement(claims)
})

test('a log that sumdb has made and signed is a trail for us, and its proofs hold', async () => {
  const theirs = join(folder, 'theirs')
  const request = { origin: ORIGIN, entries: entries.map(toBase64), sizes: SIZES, exhaustive: 33, large: LARGE }
  const made = go.make(theirs, request)
  expect(await findingsOf(theirs, made.vkey)).toEqual([])
  const store = await openFsLogStore({ dir: theirs, mode: 'read' })
  const read = await openTrail({ origin: ORIGIN, store, keys: [parseVkey(made.vkey)], clock: systemClock })
  expect(await entriesOf(read)).toEqual(entries)
  expect(await read.prove(321)).toEqual(expect.any(Uint8Array))
  expect(formatVkey(parseVkey(made.vkey))).toBe(made.vkey)
  expectAgreement(made.claims)

  await withDamage(theirs, async (damaged, what) => expect(await findingsOf(damaged, made.vkey), what).not.toEqual([]))
})

test('a note says the same to both with more signatures than one: of strangers, of witnesses, of two keys', async () => {
  const { text, signatures: own } = parseNote(trail.checkpoint as Bytes)
  const second = createSigner(generateSecretKey(systemRandom))
  const other = createNoteSigner({ name: 'other.example', signer: second })
  const witness = createCosigner({ name: 'witness.example', signer: second, clock: systemClock })
  const signatures = [await witness.cosign(text), await other.sign(text), ...own]
  const file = toBase64(encodeNote({ text, signatures }))
  const claims: Claim[] = [
    { kind: 'checkpoint', vkey, file },
    { kind: 'note', vkey: formatVkey(other.key), file },
  ]
  expect(claims.map(judge)).toEqual(['', ''])
  expect(go.judge(claims)).toEqual(['', ''])
  // It is signed by the other key too, but the log is not that key's.
  const taken: Claim = { kind: 'checkpoint', vkey: formatVkey(other.key), file }
  expect([judge(taken), ...go.judge([taken])]).not.toContain('')
})

test('signed texts that are no checkpoints are none for either', async () => {
  const [origin, size, root] = parseNote(trail.checkpoint as Bytes).text.split('\n') as [string, string, string]
  const noteSigner = createNoteSigner({ name: ORIGIN, signer })
  const short = toBase64(fromBase64(root).subarray(1))
  const texts = [
    [origin, size],
    [origin, `0${size}`, root],
    [origin, `+${size}`, root],
    [origin, '-1', root],
  ]
  texts.push([origin, '', root], [origin, '1e2', root], [origin, size, short], [origin, size, `${root}=`])
  texts.push([`${origin}/other`, size, root], [size, origin, root], ['', origin, size, root])
  const claims: Claim[] = []
  for (const lines of texts) {
    const text = lines.map((line) => `${line}\n`).join('')
    const note = encodeNote({ text, signatures: [await noteSigner.sign(text)] })
    claims.push({ kind: 'checkpoint', vkey, file: toBase64(note) })
  }
  expect(claims.map(judge)).not.toContain('')
  expect(go.judge(claims)).not.toContain('')
})

test('two notes that sumdb lets pass are refused here: unused bits of base64, and a bad signature behind a good one', () => {
  const file = trail.checkpoint as Bytes
  // A signature field of 68 bytes leaves two bits of the last digit unused.
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const loose = Buffer.from(file)
    .toString()
    .replace(/(.)=\n$/, (_, last: string) => `${digits[digits.indexOf(last) + 1]}=\n`)
  const note = parseNote(file)
  const bad = note.signatures.map((one) => ({
    ...one,
    signature: one.signature.with(0, (one.signature[0] as number) ^ 1),
  }))
  const repeated = encodeNote({ ...note, signatures: [...note.signatures, ...bad] })
  const claims: Claim[] = [utf8(loose), repeated].map((bytes) => ({ kind: 'note', vkey, file: toBase64(bytes) }))
  expect(go.judge(claims)).toEqual(['', ''])
  expect(claims.map(judge)).toEqual(['AUDIT_NOTE_INVALID', 'AUDIT_NOTE_INVALID'])
})
