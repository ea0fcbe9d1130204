import type { Bytes } from '@vault/core'
import type { Vault } from '@vault/embedded'
import type { SoupReader } from '@vault/soup'
import { UsageError } from './exit-code.ts'
import { openVaultAt, type ReadOptions } from './open-vault.ts'
import type { Output } from './output.ts'
import { isRemote, keyOf, remoteState, vaultIn } from './remote-end.ts'
import { type RemotePlaceOptions, remoteStateAs } from './remote-place.ts'
import { twoServers } from './two-servers.ts'

/** The states of both ends of a comparison. */
export interface ComparedEnds extends AsyncDisposable {
  readonly here: SoupReader
  readonly there: SoupReader
}

interface Parts extends ReadOptions, RemotePlaceOptions {
  readonly from: string
  readonly fromKey?: string
  readonly to: string
  readonly output: Output
  readonly signal: AbortSignal
}

/** Folders or servers. Leave to read is asked for at both: nothing is changed, and nothing but their state is told. */
export async function comparedEnds(parts: Parts): Promise<ComparedEnds> {
  const { from, to } = parts
  await using opened = new AsyncDisposableStack()
  const [here, there] = await (async (): Promise<readonly [SoupReader, SoupReader]> => {
    if (isRemote(from)) return isRemote(to) ? await bothAway(parts, opened) : await pulled(parts, opened)
    const vault = opened.use(await openVaultAt(from, parts, reading(parts)))
    if (!isRemote(to)) return [vault.soup, opened.use(await openVaultAt(to, parts, reading(parts))).soup]
    const found = await proofsToRead(vault, parts.signal)
    const state = await remoteState(to, { ...parts, vault: vault.id, key: await keyOf(vault.place), found })
    return [vault.soup, opened.use(state).soup]
  })()
  const ends = opened.move()
  return { here, there, [Symbol.asyncDispose]: () => ends[Symbol.asyncDispose]() }
}

const reading = ({ signal }: Parts) => ({ mode: 'read', keepHashes: true, signal }) as const

async function bothAway(parts: Parts, opened: AsyncDisposableStack): Promise<readonly [SoupReader, SoupReader]> {
  const { signal } = parts
  await using servers = await twoServers(parts, signal)
  const { vault, from, fromKey, to } = servers
  const left = opened.use(await remoteStateAs(new URL(from).origin, vault, { ...parts, peerKey: fromKey }))
  const right = opened.use(await remoteStateAs(to.url, vault, { ...parts, peerKey: to.key }))
  return [left.soup, right.soup]
}

/** The key that the server knows is that of the place in the folder, in which the vault need not be yet. */
async function pulled(parts: Parts, opened: AsyncDisposableStack): Promise<readonly [SoupReader, SoupReader]> {
  const { from, to, signal } = parts
  if ((parts.as ?? []).length > 0) throw new UsageError('--as is for vaults of this machine: a server lets in places.')
  const { lookAtTarget, openPlace } = await import('@vault/embedded')
  await using place = await openPlace(to, { mode: 'read' })
  const vault = await vaultIn(from)
  const state = opened.use(await remoteState(from, { ...parts, vault, key: await keyOf(place) }))
  const target = opened.use(await lookAtTarget(to))
  return [state.soup, (await target.look(vault, { signal })).soup]
}

/** What the vault grants its place: to read it elsewhere, or else to bring it there. */
async function proofsToRead(vault: Vault, signal: AbortSignal): Promise<readonly Bytes[]> {
  const { proofsOf } = await import('@vault/embedded')
  const reading = await proofsOf(vault, 'read', { signal })
  return reading.length > 0 ? reading : await proofsOf(vault, 'write', { signal })
}
