/** What a change has made of one row so far. */
export interface Touched<Row> {
  /** The row as it was last. */
  readonly row: Row
  /** Whether it was there before the change. */
  readonly existed: boolean
  readonly exists: boolean
}

/** The rows that a change has touched, to tell what it comes to in the end. */
export class TouchedRows<Key, Row> {
  readonly #rows = new Map<Key, Touched<Row>>()

  /** Notes that a row was written, where there was one (`existed`) or not. */
  wrote(key: Key, row: Row, existed: boolean): void {
    this.#rows.set(key, { row, existed: this.#rows.get(key)?.existed ?? existed, exists: true })
  }

  /** Notes that a row which was there was taken away. */
  removed(key: Key, row: Row): void {
    this.#rows.set(key, { row, existed: this.#rows.get(key)?.existed ?? true, exists: false })
  }

  exists(key: Key): boolean {
    return this.#rows.get(key)?.exists ?? false
  }

  /** Rows written, which are there now. */
  *present(): Generator<Row> {
    for (const { row, exists } of this.#rows.values()) if (exists) yield row
  }

  /** Rows that are there now and were not before. */
  *fresh(): Generator<Row> {
    for (const { row, existed, exists } of this.#rows.values()) if (exists && !existed) yield row
  }

  /** Rows that were there before and are gone. */
  *gone(): Generator<Row> {
    for (const { row, existed, exists } of this.#rows.values()) if (existed && !exists) yield row
  }
}
