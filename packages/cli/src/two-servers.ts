import type { KeyId, VaultId } from '@vault/core'
import type { HttpPlace } from '@vault/migration/http'
import { UsageError } from './exit-code.ts'
import { endsOf, type MoveOptions } from './move-options.ts'
import { parseKey } from './parse-key.ts'
import { isRemote } from './remote-end.ts'
import { remotePlace, remoteVault } from './remote-place.ts'

/** The server that a vault lies at, and the one that it goes to. */
export interface TwoServers extends AsyncDisposable {
  readonly place: HttpPlace
  readonly vault: VaultId
  readonly from: string
  readonly fromKey: KeyId
  readonly to: { readonly url: string; readonly key: KeyId }
}

const SERVED =
  'a server has keys of its own, which "vaultctl serve --passphrase-file" opens, or protects where they are made'

/** What only the machine can do that a vault lies on, and what does it instead. */
const LOCAL = {
  passphraseFile: ['--passphrase-file', SERVED],
  toPassphraseFile: ['--to-passphrase-file', SERVED],
  toPassphrase: ['--no-to-passphrase', SERVED],
  ceremony: ['--ceremony', 'run this on the machine of the first server, with its folder as --from and the same --to'],
} as const satisfies Partial<Record<keyof MoveOptions, readonly [option: string, instead: string]>>

/** The first of both is asked, with a key of the user's own; keys and data of the vault do not come by here. Throws a `UsageError`. */
export async function twoServers(options: MoveOptions, signal: AbortSignal): Promise<TwoServers> {
  const { from, fromKey, to, toKey } = keyedEnds(options)
  requireServers(options)
  // How much goes from one to the other is for the first one to bound.
  const { bwlimit: _, ...reached } = options
  const place = await remotePlace(from, { ...reached, peerKey: fromKey })
  try {
    const vault = await remoteVault(from, place, signal)
    const close = () => place[Symbol.asyncDispose]()
    return { place, vault, from, fromKey, to: { url: new URL(to).origin, key: toKey }, [Symbol.asyncDispose]: close }
  } catch (error) {
    await place[Symbol.asyncDispose]()
    throw error
  }
}

/** Both ends with their keys, the way round that is meant. */
function keyedEnds(options: MoveOptions): Readonly<Record<'from' | 'to', string> & Record<'fromKey' | 'toKey', KeyId>> {
  const { from, to } = endsOf(options)
  const { fromKey: first, peerKey: second, back = false } = options
  if (!isRemote(to)) {
    throw new UsageError(
      `A server moves a vault to another server, and not into a folder. Serve ${to} ("vaultctl serve ${to} --allow KEY", the key of ${from}), let ${from} be started with the address and key of that (--move-to), and name it as --to; or run this on the machine of ${from}, with its folder as --from. Into a folder a vault is copied with --no-handoff.`,
    )
  }
  if (first === undefined || second === undefined) {
    throw new UsageError('Name the keys of both servers, --from-key and --peer-key: "vaultctl serve" prints them.')
  }
  const keys = [parseKey('--from-key', first), parseKey('--peer-key', second)] as const
  const [fromKey, toKey] = back ? [keys[1], keys[0]] : keys
  return { from, fromKey, to, toKey }
}

function requireServers(options: MoveOptions): void {
  for (const [name, [option, instead]] of Object.entries(LOCAL)) {
    const given = options[name as keyof typeof LOCAL]
    // `true` where `--no-to-passphrase` was left out.
    if (given === undefined || given === true) continue
    throw new UsageError(`${option} is for a vault of this machine: ${instead}.`)
  }
}
