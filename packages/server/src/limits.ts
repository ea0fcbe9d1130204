/** What a server takes from its clients, at most. */
export interface ServerLimits {
  /** Connections at a time. Default 256. */
  readonly connections: number
  /** Connections at a time from one address of the network, of IPv6 from one /64, whoever they are of. Default 64. */
  readonly perAddress: number
  /** Requests of one key that are worked on at a time. Default 16. */
  readonly concurrent: number
  /** Requests of one key in a second. Default 2,000. */
  readonly perSecond: number
  /** Milliseconds until a request has its header, a connection its keys, and what is shown with `present` has come. Default 10,000. */
  readonly headerMs: number
  /** Milliseconds during which nothing comes or goes. Default 30,000. */
  readonly idleMs: number
  /** Milliseconds until a request has come as a whole. Default 10 minutes. */
  readonly requestMs: number
  /** Milliseconds for which a view is held that nobody reads. Default 10,000. */
  readonly viewMs: number
  /** Views, and targets that are open for writing, of one key. Default 16. */
  readonly held: number
}

export const DEFAULT_LIMITS: ServerLimits = {
  connections: 256,
  perAddress: 64,
  concurrent: 16,
  perSecond: 2_000,
  headerMs: 10_000,
  idleMs: 30_000,
  requestMs: 600_000,
  viewMs: 10_000,
  held: 16,
}

/** Bytes of all headers of a request. */
export const MAX_HEADER_BYTES: number = 8 * 1024
export const MAX_HEADERS = 32
