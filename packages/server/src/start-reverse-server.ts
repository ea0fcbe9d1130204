import type { AbortOptions, KeyId, VaultId } from '@vault/core'
import type { SeatOptions } from '@vault/embedded'
import { DEFAULT_TIMEOUTS, type HttpOptions, offerConnections } from '@vault/migration/http'
import { openPlaceServer, type PlaceServerOptions } from './place-server.ts'
import { refusal } from './refusal.ts'

/** Who may bring which vault to a place, over connections that the place opens. */
export interface ReverseServerOptions
  extends Pick<PlaceServerOptions, 'dir' | 'limits' | 'failed' | 'clock' | 'random'>,
    Pick<HttpOptions, 'peerKey' | 'proofs' | 'timeouts'> {
  /** The server where the vault lies: `https://HOST:PORT`. */
  readonly url: string
  readonly vault: VaultId
  /** How the place takes part in the hand-off. */
  readonly seat?: SeatOptions
}

/** A place that comes for a vault. */
export interface ReverseServer extends AsyncDisposable {
  /** The key of the place. */
  readonly key: KeyId
  /** Rejects when no connection is offered any more: what `offerConnections` throws. */
  readonly offering: Promise<void>
  /** Lets requests that are worked on end, and everything go. */
  close(): Promise<void>
}

/**
 * Lets a server bring a vault to a place that it cannot reach, as one behind a firewall: the place opens the connections, and is asked over
 * them by that server and nobody else, as the target of that vault and for nothing else. Throws what opening the place throws.
 */
export async function startReverseServer(
  { url, vault, peerKey, proofs, timeouts, limits, ...options }: ReverseServerOptions,
  { signal }: AbortOptions = {},
): Promise<ReverseServer> {
  const opened = await openPlaceServer({
    ...options,
    // A connection that the server does not use may be dead: it is opened anew while the server is still patient.
    limits: { headerMs: Math.ceil({ ...DEFAULT_TIMEOUTS, ...timeouts }.idle / 2), ...limits },
    authorize: async ({ signers, action, object }) => {
      if (action === 'write' && signers.includes(peerKey) && object === vault) return { action, object, proven: true }
      throw refusal('HTTP_NOT_ALLOWED', `only ${peerKey} brings the vault ${vault} here, and does nothing else`)
    },
  })
  const { server, served } = opened
  const stopping = new AbortController()
  const { place } = served.seat
  const offering = offerConnections(
    url,
    {
      vault,
      place,
      peerKey,
      answer: (connection) => void server.emit('connection', connection),
      ...(proofs && { proofs }),
      ...(timeouts && { timeouts }),
    },
    { signal: AbortSignal.any([stopping.signal, ...(signal ? [signal] : [])]) },
  )
  offering.catch(() => {})
  const close = async () => {
    await opened.close()
    stopping.abort(new Error('The place comes for nothing any more.'))
    await offering.catch(() => {})
  }
  return { key: place.key, offering, close, [Symbol.asyncDispose]: close }
}
