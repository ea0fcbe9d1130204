import type { Connection } from './connection.ts'
import type { TenureRow } from './tenure-row.ts'

/** A vault as it was at one moment, with a connection of its own. */
export interface Moment extends Disposable {
  readonly db: Connection
  readonly at: TenureRow
  /** Runs a read over {@link db}, with errors in our codes. Throws `SOUP_BUSY` where what it gives may be of another moment. */
  read<T>(work: () => T): T
}
