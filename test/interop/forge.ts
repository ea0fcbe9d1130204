import { leafHash } from '@vault/merkle'
import {
  type Claim,
  type FileClaim,
  fromBase64,
  type ProofClaim,
  type RecordClaim,
  type TreeClaim,
  toBase64,
} from './claim.ts'

/** Claims that follow from a true one by a change that makes them untrue, each with what was done. */
export function forgeriesOf(claim: Claim): readonly (readonly [how: string, claim: Claim])[] {
  switch (claim.kind) {
    case 'record':
      return forgeriesOfRecord(claim)
    case 'tree':
      return forgeriesOfTree(claim)
    case 'note':
    case 'checkpoint':
      return forgeriesOfFile(claim)
    case 'proof':
      return forgeriesOfProof(claim)
    case 'path':
      return [['another path', { ...claim, path: claim.path.replace('tile/', 'tile/8/') }]]
  }
}

/** The same proofs for logs of other sizes: whether they hold depends on the shape of the tree, which both sides must know alike. */
export function resizedOf(claim: Claim): readonly Claim[] {
  if (claim.kind === 'record') {
    const sizes = [claim.size - 1, claim.size + 1, claim.size * 2]
    return sizes.filter((size) => Number.isSafeInteger(size)).map((size) => ({ ...claim, size }))
  }
  if (claim.kind !== 'tree') return []
  const { from, to } = claim
  const sizes = [
    [from + 1, to],
    [from - 1, to],
    [from, to + 1],
    [from, to - 1],
  ] as const
  return sizes
    .filter(([from, to]) => from >= 1 && Number.isSafeInteger(to))
    .map(([from, to]) => ({ ...claim, from, to }))
}

const EMPTY_LEAF = toBase64(leafHash(new Uint8Array(0)))

function forgeriesOfRecord(claim: RecordClaim): readonly (readonly [string, Claim])[] {
  const { size, index, root, leaf, proof } = claim
  // Where all entries are empty, each of them is at every index.
  const others = leaf === EMPTY_LEAF ? [] : [index - 1, index + 1]
  return [
    ...forgedLists(proof).map(([how, proof]) => [how, { ...claim, proof }] as const),
    ...others.map((index) => [`index ${index}`, { ...claim, index }] as const),
    ['index behind the end', { ...claim, index: size }],
    ['another root', { ...claim, root: flipped(root) }],
    ['another leaf', { ...claim, leaf: flipped(leaf) }],
    ['a root of 31 bytes', { ...claim, root: toBase64(fromBase64(root).subarray(1)) }],
  ]
}

function forgeriesOfTree(claim: TreeClaim): readonly (readonly [string, Claim])[] {
  const { from, to, fromRoot, toRoot, proof } = claim
  return [
    ...forgedLists(proof).map(([how, proof]) => [how, { ...claim, proof }] as const),
    ['another old root', { ...claim, fromRoot: flipped(fromRoot) }],
    ['another new root', { ...claim, toRoot: flipped(toRoot) }],
    ['another root for both', { ...claim, toRoot: flipped(toRoot), fromRoot: toRoot }],
    ['a log that shrinks', { ...claim, from: to + 1, to: from }],
  ]
}

/** The hashes of a proof with something changed, missing or superfluous. */
function forgedLists(proof: readonly string[]): readonly (readonly [string, readonly string[]])[] {
  const changed = [...new Set([0, proof.length >> 1, proof.length - 1])].filter((i) => i >= 0 && i < proof.length)
  const [first = EMPTY_LEAF] = proof
  return [
    ...changed.map((i) => [`another hash ${i}`, proof.with(i, flipped(proof[i] as string))] as const),
    ...changed.map((i) => [`no hash ${i}`, proof.toSpliced(i, 1)] as const),
    ['a hash more at the end', [...proof, first]],
    ['a hash more at the start', [first, ...proof]],
    ['a hash of 33 bytes', [...proof.slice(0, -1), toBase64(new Uint8Array(33))]],
  ]
}

function forgeriesOfFile(claim: FileClaim): readonly (readonly [string, Claim])[] {
  const note = Buffer.from(claim.file, 'base64').toString()
  return [
    ...forgedNotes(note).map(([how, forged]) => [how, { ...claim, file: toBase64(Buffer.from(forged)) }] as const),
    ['bytes that are no text', { ...claim, file: toBase64(Buffer.from(`\xff${note}`, 'latin1')) }],
    ...forgedKeys(claim.vkey).map(([how, vkey]) => [how, { ...claim, vkey }] as const),
  ]
}

function forgeriesOfProof(claim: ProofClaim): readonly (readonly [string, Claim])[] {
  const text = Buffer.from(claim.file, 'base64').toString()
  const end = text.indexOf('\n\n')
  const [header, index, ...hashes] = text.slice(0, end).split('\n') as [string, string, ...string[]]
  const note = text.slice(end + 2)
  const withLines = (lines: readonly string[], checkpoint = note) => `${lines.join('\n')}\n\n${checkpoint}`
  const number = Number(index.slice('index '.length))
  const files: readonly (readonly [string, string])[] = [
    ...forgedLists(hashes).map(([how, forged]) => [how, withLines([header, index, ...forged])] as const),
    ...forgedNotes(note).map(([how, forged]) => [how, withLines([header, index, ...hashes], forged)] as const),
    ['another index', withLines([header, `index ${number + 1}`, ...hashes])],
    ['an index with a zero before it', withLines([header, `index 0${number}`, ...hashes])],
    ['a negative index', withLines([header, `index -${number + 1}`, ...hashes])],
    ['no index', withLines([header, ...hashes])],
    ['another version', withLines([header.replace('v1', 'v2'), index, ...hashes])],
    ['no checkpoint', withLines([header, index, ...hashes], '')],
  ]
  return [
    ...files.map(([how, file]) => [how, { ...claim, file: toBase64(Buffer.from(file)) }] as const),
    ['other data', { ...claim, data: toBase64(Buffer.concat([fromBase64(claim.data), Buffer.from('.')])) }],
    ...forgedKeys(claim.vkey).map(([how, vkey]) => [how, { ...claim, vkey }] as const),
  ]
}

/** Variants of a note with one signature that nobody may take for signed. */
function forgedNotes(note: string): readonly (readonly [string, string])[] {
  const end = note.indexOf('\n\n')
  const text = note.slice(0, end + 1)
  const [dash, name, signature] = note.slice(end + 2, -1).split(' ') as [string, string, string]
  const field = fromBase64(signature)
  const signedBy = (name: string, field: Uint8Array) => `${text}\n${dash} ${name} ${toBase64(field)}\n`
  const changed = (at: number) => field.with(at, (field[at] as number) ^ 1)
  return [
    ['another text', note.replace(/\d+/, (number) => `${Number(number) + 1}`)],
    ['a line more', `${text}more\n${note.slice(end + 1)}`],
    ['another key id', signedBy(name, changed(0))],
    ['another first half of the signature', signedBy(name, changed(4))],
    ['another second half of the signature', signedBy(name, changed(67))],
    ['a signature of 63 bytes', signedBy(name, field.subarray(0, -1))],
    ['a signature of 65 bytes', signedBy(name, Buffer.concat([field, field.subarray(0, 1)]))],
    ['a key id and no signature', signedBy(name, field.subarray(0, 4))],
    ['the signature of another name', signedBy(`${name}.example`, field)],
    ['no signature', `${text}\n`],
    ['no blank line', `${text}${note.slice(end + 2)}`],
    ['no line feed at the end', note.slice(0, -1)],
    ['a line behind the signature', `${note}more\n`],
    ['a hyphen', note.replace('\u2014', '-')],
    ['line ends of another system', note.replaceAll('\n', '\r\n')],
    ['a control character', `\t${note}`],
  ]
}

/** Keys that have signed nothing, or are none. */
function forgedKeys(vkey: string): readonly (readonly [string, string])[] {
  const [name, id, ...rest] = vkey.split('+') as [string, string, ...string[]]
  // Base64 has plus signs too.
  const key = rest.join('+')
  const other = id.startsWith('0') ? `1${id.slice(1)}` : `0${id.slice(1)}`
  return [
    ['a vkey with the id of another', `${name}+${other}+${key}`],
    ['a vkey of another name', `${name}.example+${id}+${key}`],
    ['a vkey without its id', `${name}+${key}`],
    ['a vkey of another type', `${name}+${id}+${toBase64(fromBase64(key).with(0, 9))}`],
    ['a vkey of 31 bytes', `${name}+${id}+${toBase64(fromBase64(key).subarray(0, -1))}`],
  ]
}

/** With another bit. */
function flipped(base64: string): string {
  const bytes = fromBase64(base64)
  return toBase64(bytes.with(bytes.length - 1, (bytes.at(-1) as number) ^ 1))
}
