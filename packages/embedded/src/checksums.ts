import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Finding, hashBytes, toHex } from '@vault/core'
import { isDraft, writeDurably } from './durable-file.ts'
import { PLACE_FILE } from './place.ts'

/** Hashes of the small files that nothing else vouches for, in the format of `sha256sum`, so that `sha256sum -c` checks them too. */
export const CHECKSUM_FILE = 'SHA256SUMS'

/** The `code` of what is found about the small files. */
export type ChecksumFindingCode =
  /** Missing, changed, or not to be read. */
  | 'VAULT_FILE_DAMAGED'
  /** There, and without a checksum: somebody has put it there, or whoever wrote it died before it was listed. */
  | 'VAULT_FILE_UNLISTED'

/** Writes the checksums of `vault.json` and everything in `keys`. */
export async function writeChecksums(dir: string): Promise<void> {
  const lines: string[] = []
  for (const name of [PLACE_FILE, ...(await keyFiles(dir))]) lines.push(`${await fileHash(join(dir, name))}  ${name}\n`)
  await writeDurably(join(dir, CHECKSUM_FILE), lines.join(''))
}

/**
 * Adds the key files that are not listed to the checksums of a place that has some; what is listed stays as it is, damaged or
 * not. Keys whose maker died before it could list them are thus listed with the next.
 */
export async function listNewKeys(dir: string): Promise<void> {
  const file = join(dir, CHECKSUM_FILE)
  const list = await readFile(file, 'latin1').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (list === undefined) return
  const listed = new Set(list.split('\n').map((line) => line.slice(66)))
  const added: string[] = []
  for (const name of await keyFiles(dir)) {
    const isKey = name.endsWith('.key') || name.endsWith('.age')
    if (isKey && !listed.has(name)) added.push(`${await fileHash(join(dir, name))}  ${name}\n`)
  }
  if (added.length > 0) await writeDurably(file, list + added.join(''))
}

/** Says anew what one listed file has to be, after it was replaced on purpose, and lists new keys. No other line changes. */
export async function listChanged(dir: string, name: string): Promise<void> {
  const file = join(dir, CHECKSUM_FILE)
  const line = `${await fileHash(join(dir, name))}  ${name}`
  const lines = (await readFile(file, 'latin1')).split('\n')
  await writeDurably(file, lines.map((listed) => (listed.slice(66) === name ? line : listed)).join('\n'))
  await listNewKeys(dir)
}

/** Every covered file that is missing, changed, not listed or not to be read. */
export async function checkChecksums(dir: string): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const report = (subject: string, message: string, code: ChecksumFindingCode = 'VAULT_FILE_DAMAGED') =>
    void findings.push({ code, message: `${subject} ${message}`, subject })
  const attempt = async <T>(subject: string, read: Promise<T>): Promise<T | undefined> =>
    await read.catch((error: NodeJS.ErrnoException) => {
      if (error.syscall === undefined) throw error
      report(subject, error.code === 'ENOENT' ? 'is missing.' : `cannot be read: ${error.code}.`)
      return undefined
    })
  const listed = new Map<string, string>()
  const list = await attempt(CHECKSUM_FILE, readFile(join(dir, CHECKSUM_FILE), 'latin1'))
  for (const line of list?.split('\n') ?? []) {
    const match = /^([0-9a-f]{64}) {2}(.+)$/.exec(line)
    if (match) listed.set(match[2] as string, match[1] as string)
    else if (line !== '') report(CHECKSUM_FILE, 'has a line that is no checksum.')
  }
  if (list === '') report(CHECKSUM_FILE, 'is empty.')
  const keys = await attempt('keys', keyFiles(dir))
  for (const name of [PLACE_FILE, ...(keys ?? [])]) {
    const expected = listed.get(name)
    listed.delete(name)
    const actual = await attempt(name, fileHash(join(dir, name)))
    if (actual === undefined) continue
    if (expected === undefined) report(name, `is not listed in ${CHECKSUM_FILE}.`, 'VAULT_FILE_UNLISTED')
    else if (expected !== actual) report(name, `does not have the SHA-256 that ${CHECKSUM_FILE} says.`)
  }
  for (const name of listed.keys()) {
    // What could not be looked at is not missing.
    if (keys !== undefined) report(name, `is listed in ${CHECKSUM_FILE} and missing.`)
  }
  return findings
}

/**
 * Writes the checksums anew where it is they that are damaged, and not what they are of: where a line is torn, names a file by a
 * name that is not there, or is but a few digits off, which no damage of the file does; and where `isProven` vouches for a file.
 * Every other line stays, so that a damaged file keeps being reported. Says whether anything changed.
 */
export async function healChecksums(dir: string, isProven: (file: string) => Promise<boolean>): Promise<boolean> {
  const text = await readFile(join(dir, CHECKSUM_FILE), 'latin1').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const listed = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{64}) {2}(.+)$/.exec(line)
    if (match) listed.set(match[2] as string, match[1] as string)
  }
  const lines: string[] = []
  const hashes = new Set<string>()
  for (const name of [PLACE_FILE, ...(await keyFiles(dir))]) {
    const actual = await fileHash(join(dir, name)).catch(() => undefined)
    if (actual === undefined) continue
    const said = listed.get(name)
    const isKept = said !== undefined && distance(said, actual) > TORN && !(await isProven(join(dir, name)))
    lines.push(`${isKept ? said : actual}  ${name}\n`)
    listed.delete(name)
    hashes.add(actual)
  }
  for (const [name, hash] of listed) if (!hashes.has(hash)) lines.push(`${hash}  ${name}\n`)
  const healed = lines.join('')
  if (isSameLines(healed, text)) return false
  await writeDurably(join(dir, CHECKSUM_FILE), healed)
  return true
}

function isSameLines(a: string, b: string): boolean {
  const sorted = (text: string): string => text.split('\n').sort().join('\n')
  return sorted(a) === sorted(b)
}

/** Digits in which the hashes of two contents agree but by a chance of less than one in 2^200. */
const TORN = 8

function distance(a: string, b: string): number {
  let count = 0
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count++
  return count
}

/** Everything in `keys` but drafts, whose maker writes them still or died: nobody reads them. */
async function keyFiles(dir: string): Promise<readonly string[]> {
  const keys = await readdir(join(dir, 'keys'), { recursive: true, withFileTypes: true })
  const files = keys
    .filter((file) => file.isFile() && !isDraft(file.name))
    .map((file) => join(file.parentPath, file.name).slice(dir.length + 1))
  return files.sort()
}

async function fileHash(path: string): Promise<string> {
  return toHex(hashBytes('sha2-256', await readFile(path)))
}
