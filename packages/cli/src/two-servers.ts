import type { KeyId } from '@vault/core'
import { UsageError } from './exit-code.ts'
import { endsOf, type MoveOptions } from './move-options.ts'
import type { MovingServer } from './moving-server.ts'
import { parseKey } from './parse-key.ts'
import { remotePlace, remoteVault } from './remote-place.ts'
import { LEAVING, requireServed, SERVED } from './served-options.ts'

/** The server that a vault lies at, and the one that it goes to. */
export interface TwoServers extends MovingServer {
  readonly to: { readonly url: string; readonly key: KeyId }
}

/** What only the machine can do that a vault lies on, and what does it instead. */
const LOCAL = {
  ...LEAVING,
  toPassphraseFile: ['--to-passphrase-file', SERVED],
  toPassphrase: ['--no-to-passphrase', SERVED],
} as const

/** The first of both is asked, with a key of the user's own; keys and data of the vault do not come by here. Throws a `UsageError`. */
export async function twoServers(options: MoveOptions, signal: AbortSignal): Promise<TwoServers> {
  const { from, fromKey, to, toKey } = keyedEnds(options)
  requireServed(options, LOCAL)
  // How much goes from one to the other is for the first one to bound.
  const { bwlimit: _, ...reached } = options
  const place = await remotePlace(from, { ...reached, peerKey: fromKey })
  try {
    const vault = await remoteVault(from, place, { signal })
    const close = () => place[Symbol.asyncDispose]()
    const { origin } = new URL(to)
    return {
      place,
      vault,
      from,
      fromKey,
      to: { url: origin, key: toKey },
      toName: origin,
      signal,
      passes() {},
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await place[Symbol.asyncDispose]()
    throw error
  }
}

/** Both ends with their keys, the way round that is meant. */
function keyedEnds(options: MoveOptions): Readonly<Record<'from' | 'to', string> & Record<'fromKey' | 'toKey', KeyId>> {
  const { from, to } = endsOf(options)
  const { fromKey: first, peerKey: second, back = false } = options
  if (first === undefined || second === undefined) {
    throw new UsageError('Name the keys of both servers, --from-key and --peer-key: "vaultctl serve" prints them.')
  }
  const keys = [parseKey('--from-key', first), parseKey('--peer-key', second)] as const
  const [fromKey, toKey] = back ? [keys[1], keys[0]] : keys
  return { from, fromKey, to, toKey }
}
