import type { AbortOptions, Clock, KeyId, Random, Signer } from '@vault/core'
import type { AbsenceEvent } from './absence.ts'

/** A connection as Node has it (`Duplex` of `node:stream`), of which nothing has been read. */
export interface Connection {
  destroy(): unknown
}

/** Connections that the other place opens, where this end cannot reach it: whatever is asked of it goes over these. */
export interface ReverseConnections {
  /** One that nobody uses yet, when there is one. */
  take(options: AbortOptions): Promise<Connection>
}

/** How another place is reached. */
export interface HttpOptions {
  /** The key of this place, by which the other one knows it. */
  readonly place: Signer
  /** The key of the other place: whoever has another one is sent nothing. */
  readonly peerKey: KeyId
  /**
   * Certificates, as envelopes, that grant the key of this place what it asks of the other one, with the revocations and the sets of them
   * that these need. Shown where the other place does not let it in without. Default: none.
   */
  readonly proofs?: readonly Uint8Array[]
  /** Bytes in a second, both ways together. Default: as many as go. */
  readonly bytesPerSecond?: number
  /** Connections at a time. Default 4. */
  readonly connections?: number
  readonly timeouts?: Partial<HttpTimeouts>
  /** Where connections come from that the other place opens; it has no address then, and is called by its key. Default: this end opens them. */
  readonly reverse?: ReverseConnections
  /** Told when the other place does not answer and is waited for, and when it is back. It must not throw. */
  readonly absent?: (event: AbsenceEvent) => void
  readonly clock?: Clock
  readonly random?: Random
}

/** Milliseconds. */
export interface HttpTimeouts {
  /** Until a connection stands. Default 10,000. */
  readonly connect: number
  /** During which nothing comes. A server says at least every second that it is there. Default 30,000. */
  readonly idle: number
  /** For which requests are tried again while the other place is away, from when nothing came any more. Default 60,000. */
  readonly patience: number
}

/** Where nothing else is said. */
export const DEFAULT_TIMEOUTS: HttpTimeouts = { connect: 10_000, idle: 30_000, patience: 60_000 }

/** Where it is said how long requests are tried again, in milliseconds: so that there is time to try again. */
export function timeoutsWithin(patience: number): HttpTimeouts {
  return {
    patience,
    idle: Math.min(patience, Math.max(patience / 2, 2_000), 30_000),
    connect: Math.min(patience / 2, 10_000),
  }
}
