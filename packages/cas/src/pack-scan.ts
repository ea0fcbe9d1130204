import type { Bytes } from '@vault/core'
import { equalBytes, toHex } from '@vault/core'
import type { PackGroup } from './pack.ts'
import {
  checkFlags,
  createPackGroup,
  encodeSegmentHeader,
  GROUP_END_LENGTH,
  GROUP_TAG,
  matchesIdBytes,
  parseGroupEnd,
  parseRecordHeader,
  parseSegmentHeader,
  RECORD_HEADER_LENGTH,
  RECORD_TAG,
  recordId,
  SEGMENT_HEADER_LENGTH,
  segmentSeed,
} from './pack.ts'
import { crc32 } from './pack-crc.ts'
import { PackRows } from './pack-rows.ts'
import type { PackSource, Trailer } from './pack-source.ts'
import { isTorn, isUnfinishedTrailer, PackWindow, readPart, readTrailer } from './pack-source.ts'
import { parseTrailerHead, TRAILER_HEAD_LENGTH } from './pack-trailer.ts'

/** A stretch of a segment that is not what was written. */
export interface PackDamage {
  readonly from: number
  readonly to: number
  readonly message: string
}

/** Acknowledged records in the order in which they lie, as rows with the content length as their last number. */
export interface PackRecords {
  readonly type: 'records'
  readonly sound: Bytes
  /** Records whose header is whole and whose stored bytes are not. */
  readonly damaged: Bytes
  /** Stretches that no record could be read from. */
  readonly damage: readonly PackDamage[]
  /** Where their last group ends. */
  readonly end: number
}

/** How the segment ends. */
export interface PackEnd {
  readonly type: 'end'
  /** End of the last acknowledged group. */
  readonly end: number
  readonly sealed: boolean
  /** Rows of the trailer, sorted by id; absent where there is no sound one. */
  readonly trailer?: Bytes
  /** Damage of header and trailer. Objects are found without either. */
  readonly damage: readonly PackDamage[]
  /** Bytes after the end that belong to no acknowledged group and no trailer: a write that was never finished. */
  readonly unacknowledged: number
}

/** What is checked of every record: its checksum, or the hash of its content too. */
export type PackCheck = 'checksum' | 'hash'

/** Behind damage a record must prove itself by its hash. So many may fail to before only group ends are looked for. */
const MAX_CANDIDATES = 1024

/** The first byte of every tag. */
const TAG_BYTE = 0x76

/**
 * Reads a segment from its beginning, or from the end of a group, without help of trailer or index. A group that is not
 * whole is damage where a later whole group or a trailer shows that it had been acknowledged; at the end of an unsealed
 * segment it is a write that was never finished. Throws `CAS_FORMAT` where a newer version wrote it.
 */
export async function* scanPack(
  source: PackSource,
  options: { readonly name: Uint8Array; readonly check: PackCheck; readonly from?: number },
): AsyncGenerator<PackRecords | PackEnd> {
  const { name, check, from = SEGMENT_HEADER_LENGTH } = options
  const seed = segmentSeed(name)
  const head = await readPart(source, 0, SEGMENT_HEADER_LENGTH)
  const found = parseSegmentHeader(head, source.file)
  const trailer = await readTrailer(source, seed)
  const groups = new GroupScan(source, seed, check, Math.min(from, source.size), trailer?.position ?? source.size)
  while (await groups.next()) yield groups.take()
  if (groups.pending && (trailer !== undefined || (await beginsTrailer(source, seed, groups.position)))) {
    yield groups.take()
  }
  const damage: PackDamage[] = []
  if (await isTrailerDamaged(source, seed, trailer, groups.end)) {
    damage.push({ from: groups.end, to: source.size, message: 'the trailer is damaged' })
  }
  const header = { from: 0, to: SEGMENT_HEADER_LENGTH }
  if (found !== undefined && !equalBytes(found, name)) {
    damage.push({ ...header, message: `the header is that of the segment ${toHex(found)}` })
  } else if (found === undefined && (groups.end > SEGMENT_HEADER_LENGTH || !isTorn(head, encodeSegmentHeader(name)))) {
    damage.push({ ...header, message: 'this is no segment of this store, or its header is damaged' })
  }
  const rows = trailer?.rows === undefined ? {} : { trailer: trailer.rows }
  const unacknowledged = trailer === undefined ? source.size - groups.end : 0
  yield { type: 'end', end: groups.end, sealed: trailer !== undefined, ...rows, damage, unacknowledged }
}

/** Whether the head of a trailer stands here: everything before it had been acknowledged, though the sealing never ended. */
async function beginsTrailer(source: PackSource, seed: number, position: number): Promise<boolean> {
  return (await announcedRows(source, seed, position)) !== undefined
}

async function announcedRows(source: PackSource, seed: number, position: number): Promise<number | undefined> {
  return parseTrailerHead(await readPart(source, position, TRAILER_HEAD_LENGTH), seed, position)
}

/** Whether the trailer, or what is left of it, is not as it was written. */
async function isTrailerDamaged(
  source: PackSource,
  seed: number,
  trailer: Trailer | undefined,
  end: number,
): Promise<boolean> {
  if (trailer !== undefined) return trailer.rows === undefined
  const count = await announcedRows(source, seed, end)
  return count !== undefined && !(await isUnfinishedTrailer(source, seed, end, count))
}

/** Walks records and group ends. Nothing here allocates or awaits per record: only moving the window does. */
class GroupScan {
  readonly #source: PackSource
  readonly #window: PackWindow
  readonly #seed: number
  readonly #check: PackCheck
  /** Records end here at the latest. */
  readonly #limit: number
  readonly #sound = new PackRows()
  readonly #damaged = new PackRows()
  #damage: PackDamage[] = []
  #group: PackGroup = createPackGroup()
  #whole = true
  #resumed = false
  #candidates = 0
  /** Where the walk stands. */
  position: number
  /** End of the last acknowledged group. */
  end: number

  constructor(source: PackSource, seed: number, check: PackCheck, from: number, limit: number) {
    this.#source = source
    this.#window = new PackWindow(source)
    this.#seed = seed
    this.#check = check
    this.#limit = limit
    this.position = from
    this.end = from
  }

  /** Whether anything has been read that no whole group followed. */
  get pending(): boolean {
    return this.#sound.count + this.#damaged.count + this.#damage.length > 0
  }

  /** Walks up to the end of the next whole group; false where there is none. */
  async next(): Promise<boolean> {
    while (this.position < this.#limit) {
      const state = this.#walk()
      if (state === 'acknowledged') return true
      if (state === 'move') await this.#window.load(this.position)
      else if (this.position < this.#limit && !(await this.#recover())) return false
    }
    return false
  }

  /** What has been read since the last call, as acknowledged. */
  take(): PackRecords {
    this.end = this.position
    const sound = this.#sound.bytes.slice()
    const damaged = this.#damaged.bytes.slice()
    const damage = this.#damage
    this.#sound.clear()
    this.#damaged.clear()
    this.#damage = []
    return { type: 'records', sound, damaged, damage, end: this.end }
  }

  /** Reads what the window covers: until it must begin here, a whole group ends, or nothing sound stands here. */
  #walk(): 'move' | 'acknowledged' | 'unreadable' {
    const { bytes, view } = this.#window
    while (this.position < this.#limit) {
      if (!this.#window.covers(this.position, RECORD_HEADER_LENGTH)) return 'move'
      const at = this.#window.at(this.position)
      const header = parseRecordHeader(bytes, view, at)
      if (header !== undefined) {
        checkFlags(header, this.#source.file)
        const length = RECORD_HEADER_LENGTH + header.stored
        if (this.position + length > this.#limit) return 'unreadable'
        if (!this.#window.covers(this.position, length)) return 'move'
        this.#addRecord(bytes.subarray(at, at + length), header.crc)
        this.position += length
        continue
      }
      const end = parseGroupEnd(bytes, view, at, this.#seed, this.position)
      if (end === undefined) return 'unreadable'
      if (this.#endGroup(end)) return 'acknowledged'
    }
    return 'unreadable'
  }

  #addRecord(record: Uint8Array, crc: number): void {
    const stored = record.subarray(RECORD_HEADER_LENGTH)
    const id = recordId(record, 0)
    const sound = crc32(stored) === crc && (this.#check === 'checksum' || matchesIdBytes(id, stored))
    ;(sound ? this.#sound : this.#damaged).append(id, this.position, stored.length, stored.length)
    if (!sound) this.#whole = false
    this.#group.headers = crc32(record.subarray(0, RECORD_HEADER_LENGTH), this.#group.headers)
    this.#group.count += 1
    this.#group.length += record.length
  }

  /** Whether everything in the group is as it was when it ended. */
  #endGroup(end: PackGroup): boolean {
    const { count, length, headers } = this.#group
    const matches = end.count === count && end.length === length && end.headers === headers
    if (this.#whole && !matches && !this.#resumed) {
      const message = 'the group is not the one that was written'
      this.#damage.push({ from: this.position - length, to: this.position, message })
    }
    const whole = this.#whole && matches
    this.position += GROUP_END_LENGTH
    this.#begin(false)
    return whole
  }

  /** Counts a group from here: from a group's end, or from behind damage, where it is whole only if one happens to begin. */
  #begin(resumed: boolean): void {
    this.#group = createPackGroup()
    this.#whole = true
    this.#resumed = resumed
  }

  /** Moves to the next sound record or group end; false where a trailer stands here, or nothing follows. */
  async #recover(): Promise<boolean> {
    const from = this.position
    if (await beginsTrailer(this.#source, this.#seed, from)) return false
    this.#begin(true)
    let position = from + 1
    while (position < this.#limit) {
      if (!this.#window.covers(position, RECORD_HEADER_LENGTH)) await this.#window.load(position)
      const at = this.#window.bytes.indexOf(TAG_BYTE, this.#window.at(position))
      position = at < 0 ? this.#window.end : position + at - this.#window.at(position)
      if (at < 0 || !(await this.#standsAt(position))) {
        if (at >= 0) position += 1
        continue
      }
      this.#damage.push({ from, to: position, message: 'no record could be read' })
      this.position = position
      return true
    }
    this.#damage.push({ from, to: this.#limit, message: 'no record could be read' })
    // Where a trailer shows the end of the records, the walk ends there; else where sense ended.
    this.position = this.#limit < this.#source.size ? this.#limit : from
    return false
  }

  async #standsAt(position: number): Promise<boolean> {
    if (!this.#window.covers(position, RECORD_HEADER_LENGTH)) await this.#window.load(position)
    const at = this.#window.at(position)
    const { bytes, view } = this.#window
    const tag = at + 4 <= bytes.length ? view.getUint32(at) : 0
    if (tag === GROUP_TAG) return parseGroupEnd(bytes, view, at, this.#seed, position) !== undefined
    if (tag !== RECORD_TAG || this.#candidates >= MAX_CANDIDATES) return false
    const header = parseRecordHeader(bytes, view, at)
    if (header === undefined || header.flags !== 0) return false
    const length = RECORD_HEADER_LENGTH + header.stored
    if (position + length > this.#limit) return false
    if (!this.#window.covers(position, length)) await this.#window.load(position)
    const start = this.#window.at(position)
    const record = this.#window.bytes.subarray(start, start + length)
    if (matchesIdBytes(recordId(record, 0), record.subarray(RECORD_HEADER_LENGTH))) return true
    this.#candidates += 1
    return false
  }
}
