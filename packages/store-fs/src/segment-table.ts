import { SEGMENT_HEADER_LENGTH } from '@vault/cas'

/** What a session knows of one segment. */
export interface Segment {
  /** Its number in this session: what rows in memory call it. */
  readonly number: number
  /** 32 hexadecimal digits. */
  readonly name: string
  /** How far its records are in the index, from the first byte without a gap. */
  covered: number
  /** No record can follow `covered`. */
  sealed: boolean
  /** Whether the folder has it. Rows of one that is gone are passed over. */
  present: boolean
  /** Length of the file when it was last read for new records. */
  seen: number
  /** Written by this session, which tells the index itself. */
  own: boolean
}

/** The segments of a store by name and by number. */
export class SegmentTable {
  readonly #byName = new Map<string, Segment>()
  readonly #all: Segment[] = []

  /** The segment of this name, made where it is new. */
  named(name: string): Segment {
    const known = this.#byName.get(name)
    if (known !== undefined) return known
    const segment: Segment = {
      number: this.#all.length,
      name,
      covered: SEGMENT_HEADER_LENGTH,
      sealed: false,
      seen: 0,
      present: false,
      own: false,
    }
    this.#all.push(segment)
    this.#byName.set(name, segment)
    return segment
  }

  numbered(number: number): Segment {
    return this.#all[number] as Segment
  }

  all(): readonly Segment[] {
    return this.#all
  }
}
