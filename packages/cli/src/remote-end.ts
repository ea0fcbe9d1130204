import type { Bytes, KeyId, Signer, VaultId } from '@vault/core'
import type { Place, Vault } from '@vault/embedded'
import type { HttpOptions, HttpPartTarget, HttpSource, HttpState, HttpTarget } from '@vault/migration/http'
import type { Command } from 'commander'
import { UsageError } from './exit-code.ts'
import { parseCount } from './parse-count.ts'
import { parseKey } from './parse-key.ts'
import { readProofFiles } from './read-proofs.ts'
import { repeatable } from './repeatable.ts'

/** Options of the commands whose other end may be a server. */
export interface RemoteOptions {
  readonly peerKey?: string
  readonly bwlimit?: string
  readonly timeout?: string
  readonly proof?: readonly string[]
  /** See `tellingAbsence`. */
  readonly absent?: HttpOptions['absent']
}

/** Gives a command the options of an end that is a server. */
export function addRemoteOptions(command: Command): Command {
  return command
    .option('--peer-key <key>', 'where an end is https://…: the key of that server, which "vaultctl serve" prints')
    .option('--bwlimit <rate>', 'send at most so many bytes a second, as 500K or 10M')
    .option(
      '--timeout <seconds>',
      'give up when the server has been away for so long; of two servers, each: the first one for the second; default: 60',
    )
    .option(
      '--proof <file>',
      'a certificate that lets this place in at the server, or a validation of one; may be repeated. Those of the vault that is moved are found without it',
      repeatable,
    )
}

/** Whether an end is a server, and no folder. */
export function isRemote(end: string): boolean {
  return /^https?:\/\//.test(end)
}

/** Milliseconds for which a server may be away; `undefined` where that was not said. Throws a `UsageError`. */
export function patienceOf(timeout: string | undefined): number | undefined {
  return timeout === undefined ? undefined : parseCount('--timeout', timeout) * 1000
}

/** The key of a server. Throws a `UsageError` where none is named. */
export function serverKey(peerKey: string | undefined): KeyId {
  if (peerKey !== undefined) return parseKey('--peer-key', peerKey)
  throw new UsageError('Name the key of the server with --peer-key: "vaultctl serve" prints it where it starts.')
}

/** How a server is reached by whoever shows this key, an end that is a folder that of its place, and what was found of certificates. */
export async function httpOptions(
  { peerKey, bwlimit, timeout, proof = [], absent }: RemoteOptions,
  place: Signer,
  found: readonly Bytes[] = [],
): Promise<HttpOptions> {
  const { fittingProofs, MAX_PROOFS } = await import('@vault/migration')
  const key = serverKey(peerKey)
  const { timeoutsWithin } = await import('@vault/migration/http')
  const patience = patienceOf(timeout)
  const named = await readProofFiles(proof)
  // What was named is shown, and of what was found as much as there is room for.
  const proofs = fittingProofs([...named, ...found])
  if (proofs.length < named.length) throw new UsageError(`A server is shown at most ${MAX_PROOFS} certificates.`)
  return {
    place,
    peerKey: key,
    ...(proofs.length > 0 && { proofs }),
    ...(bwlimit !== undefined && { bytesPerSecond: parseRate(bwlimit) }),
    ...(patience !== undefined && { timeouts: timeoutsWithin(patience) }),
    ...(absent && { absent }),
  }
}

/** The server as the target of a vault that lies on this machine, which shows what the vault grants its place. Throws what `httpTarget` throws. */
export async function remoteTarget(
  url: string,
  { of, ...options }: RemoteOptions & { readonly of: Vault; readonly signal: AbortSignal },
): Promise<HttpTarget> {
  const { httpTarget } = await import('@vault/migration/http')
  const { proofsOf } = await import('@vault/embedded')
  const { signal } = options
  const address = addressOf(url)
  const found = await proofsOf(of, 'write', { signal })
  const http = await httpOptions(options, await keyOf(of.place), found)
  return await httpTarget(address, { vault: of.id, signal, ...http })
}

/** A vault at a server as the source of a copy; its address names it: `https://HOST:PORT/vaults/ID`. Throws what `httpSource` throws. */
export async function remoteSource(
  url: string,
  options: RemoteOptions & { readonly place: Place; readonly signal: AbortSignal },
): Promise<HttpSource> {
  const { httpSource } = await import('@vault/migration/http')
  const { place, signal } = options
  const vault = await vaultIn(url)
  return await httpSource(url, { vault, signal, ...(await httpOptions(options, await keyOf(place))) })
}

/** An active vault at a server as the target of a part of one that lies here; its address names it. Throws what `httpPartTarget` throws. */
export async function remotePartTarget(
  url: string,
  options: RemoteOptions & { readonly place: Place; readonly signal: AbortSignal },
): Promise<HttpPartTarget> {
  const { httpPartTarget } = await import('@vault/migration/http')
  const { place, signal } = options
  const vault = await vaultIn(url)
  return await httpPartTarget(url, { vault, signal, ...(await httpOptions(options, await keyOf(place))) })
}

/** The state of a vault at a server, asked with this key. Throws what `httpState` throws. */
export async function remoteState(
  url: string,
  {
    vault,
    key,
    found = [],
    ...options
  }: RemoteOptions & {
    readonly vault: VaultId
    readonly key: Signer
    readonly found?: readonly Bytes[]
    readonly signal: AbortSignal
  },
): Promise<HttpState> {
  const { httpState } = await import('@vault/migration/http')
  const { signal } = options
  return await httpState(addressOf(url), { vault, signal, ...(await httpOptions(options, key, found)) })
}

/** The vault that an address names. Throws a `UsageError`. */
export async function vaultIn(url: string): Promise<VaultId> {
  const { isContentId } = await import('@vault/core')
  const vault = new URL(addressOf(url)).pathname.replace(/^\/vaults\//, '')
  if (!isContentId(vault)) throw new UsageError('Name the vault in the address: https://HOST:PORT/vaults/ID.')
  return vault
}

/** The key of a place, by which others know it. */
export async function keyOf({ dir, info }: Place): Promise<Signer> {
  const { openKey } = await import('@vault/embedded')
  return await openKey({ dir, role: 'place', key: info.key })
}

/** An address of a server. Throws a `UsageError`. */
export function addressOf(url: string): string {
  if (url.startsWith('https://') && URL.canParse(url)) return url
  throw new UsageError(`A server has an address https://HOST:PORT, not ${url}.`)
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }

/** Bytes a second. Throws a `UsageError`. */
export function parseRate(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([KMG]?)(?:i?B)?(?:\/s)?$/i.exec(text) ?? []
  const rate = Number(number) * (UNITS[unit.toUpperCase()] ?? Number.NaN)
  if (number !== '' && rate >= 1) return rate
  throw new UsageError(`--bwlimit takes a number of bytes a second, as 500K or 10M, not ${text}.`)
}
