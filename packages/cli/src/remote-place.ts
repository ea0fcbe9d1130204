import type { Signer, VaultId } from '@vault/core'
import type { HttpPlace, HttpState } from '@vault/migration/http'
import type { Command } from 'commander'
import { type AsOptions, actingAs } from './as-options.ts'
import { UsageError } from './exit-code.ts'
import { addressOf, httpOptions, keyOf, type RemoteOptions, remoteState, vaultIn } from './remote-end.ts'

/** Options of the commands that ask a server while no folder is an end: with whose key. */
export interface RemotePlaceOptions extends AsOptions, RemoteOptions {
  readonly place?: string
}

/** Gives a command the option of whose key is shown where no end is a folder. */
export function addPlaceOption(command: Command): Command {
  return command.option('--place <dir>', 'where no end is a folder: show the key of this place to the server, or --as')
}

/** The server at an address, asked with the key of a place that lies here, or with one of the user's own. */
export async function remotePlace(url: string, options: RemotePlaceOptions): Promise<HttpPlace> {
  const { httpPlace } = await import('@vault/migration/http')
  return httpPlace(new URL(addressOf(url)).origin, await httpOptions(options, await shownKey(options)))
}

/** The state of a vault at a server, asked with the same key. */
export async function remoteStateAs(
  url: string,
  vault: VaultId,
  options: RemotePlaceOptions & { readonly signal: AbortSignal },
): Promise<HttpState> {
  return await remoteState(url, { ...options, vault, key: await shownKey(options) })
}

/** The vault that an address names, or else the only one that is there. `letIn`: how others let this key in. */
export async function remoteVault(
  url: string,
  place: HttpPlace,
  { signal, letIn = '--allow' }: { readonly signal: AbortSignal; readonly letIn?: string },
): Promise<VaultId> {
  if (new URL(url).pathname !== '/') return await vaultIn(url)
  const vaults = await place.vaults({ signal })
  const [only, ...more] = vaults
  if (only === undefined)
    throw new UsageError(
      `At ${url} is no vault that this key may move, copy or bring. One that it may only read is not listed: name it in the address, ${new URL(url).origin}/vaults/ID. Others let it in first: "vaultctl serve ${letIn}".`,
    )
  if (more.length === 0) return only.vault
  const names = vaults.map(({ vault, state }) => `  ${url}/vaults/${vault} (${state})`)
  throw new UsageError(`Several vaults are there. Name one in the address:\n${names.join('\n')}`)
}

async function shownKey(options: RemotePlaceOptions): Promise<Signer> {
  const { place: dir } = options
  const [own, ...more] = (await actingAs(options))?.as ?? []
  if ((dir === undefined) === (own === undefined) || more.length > 0) {
    throw new UsageError(
      'Say with which key the server is asked: --place DIR, the key of a place, or --as NAME, one of your own.',
    )
  }
  if (own !== undefined) return own
  const { openPlace } = await import('@vault/embedded')
  await using place = await openPlace(dir as string, { mode: 'read' })
  return await keyOf(place)
}
