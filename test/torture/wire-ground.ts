import { join } from 'node:path'
import type { ContentId, KeyId, Signer, VaultId } from '@vault/core'
import { openKey, openTarget, owner, sourceOf, type Vault } from '@vault/embedded'
import { planMigration, runMigration, type Source, type Target } from '@vault/migration'
import { httpPartTarget, httpPlace, httpSource } from '@vault/migration/http'
import { type Served, serve } from '../../packages/cli/test/serving.ts'
import { anyKey, moveTo, reach, vaultIn } from '../../packages/server/test/served.ts'
import { type RecordedRequest, recordRequests } from './recorded-requests.ts'
import { stateEnvironment } from './run-program.ts'

/** What is asked of a server, and by which process it is served. */
export interface WireRequest extends RecordedRequest {
  readonly served: Served
}

/** Processes that serve vaults in every state, with a client that may do everything, and what it has asked for. */
export interface WireGround extends AsyncDisposable {
  /** Where a vault is active, coming, a copy, and where one has come. */
  readonly servers: readonly { readonly served: Served; readonly dir: string }[]
  /** The active vault at the first one. */
  readonly vault: VaultId
  /** Objects of it with their bytes. */
  readonly contents: ReadonlyMap<ContentId, Uint8Array>
  readonly client: Signer
  /** Allowed the same, and never used to do harm. */
  readonly beside: Signer
  readonly requests: readonly WireRequest[]
}

const PATIENT = { connect: 10_000, idle: 30_000, patience: 30_000 }

/** A server, and how it is asked so that it is taken down. */
interface Asked {
  readonly url: string
  readonly key: KeyId
  withhold(...names: readonly string[]): void
}

/** Lays the ground, and asks for all that a server answers: moves, copies both ways, parts, and looks. */
export async function layWireGround(folder: string): Promise<WireGround> {
  const at = (name: string) => join(folder, name)
  const [client, beside] = [anyKey(), anyKey()]
  const servers: { served: Served; dir: string }[] = []
  const requests: WireRequest[] = []
  const dispose = async () => {
    for (const { served } of servers) await served.stop('SIGKILL')
  }

  /** Serves a place, and takes down what is asked of it. */
  const asking = async (name: string, ask: (server: Asked) => Promise<void>) => {
    const dir = at(name)
    const options = ['--allow-parts', client.key, beside.key]
    const served = await serve(dir, options, { env: stateEnvironment(folder) })
    servers.push({ served, dir })
    const serverPlace = await openKey({ dir, role: 'place', key: served.key })
    await using recorder = await recordRequests({ server: served, serverPlace, clientPlace: client })
    await ask({ url: recorder.url, key: serverPlace.key, withhold: recorder.withhold })
    requests.push(...recorder.requests.map((each) => ({ ...each, served })))
  }

  try {
    const { vault: staying } = await vaultIn(at('active'), 12)
    const contents = await contentsOf(staying)
    await staying[Symbol.asyncDispose]()
    const { vault: moving } = await vaultIn(at('moving'), 6)
    await using _ = moving
    const { vault: coming } = await vaultIn(at('coming'), 6)
    await using __ = coming
    await asking('active', (server) => askOfActive(server, { client, vault: staying.id, part: moving }))
    await asking('receiving', async (server) => {
      server.withhold('prepare')
      await using target = await reach(server, client, coming.id, { timeouts: PATIENT })
      await moveTo(coming, target).catch(() => {})
    })
    await asking('copy', async (server) => {
      await using target = await reach(server, client, moving.id, { timeouts: PATIENT })
      for (let round = 0; round < 2; round++) {
        await copy({ source: sourceOf(moving), target })
        await moving.put(Buffer.from(`something more ${round}`))
      }
      await using source = await httpSource(server.url, { ...reached(server, client), vault: moving.id })
      await using pulled = await openTarget(at('pulled'))
      await copy({ source, target: pulled })
    })
    await asking('moved', async (server) => {
      await using target = await reach(server, client, moving.id, { timeouts: PATIENT })
      await moveTo(moving, target)
    })
    return { servers, vault: staying.id, contents, client, beside, requests, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

const reached = ({ key }: Asked, client: Signer) => ({ place: client, peerKey: key, timeouts: PATIENT })

async function askOfActive(
  server: Asked,
  { client, vault, part }: { readonly client: Signer; readonly vault: VaultId; readonly part: Vault },
): Promise<void> {
  await using place = httpPlace(server.url, reached(server, client))
  await place.vaults()
  await place.moves(vault)
  await place.pauseMove(vault).catch(() => {})
  const to = { url: 'https://127.0.0.1:1', key: client.key }
  const request = { to, live: {}, reread: false, allowBroken: [], bytesPerSecond: null }
  await Array.fromAsync(place.move(vault, request)).catch(() => {})
  await using target = await httpPartTarget(server.url, { ...reached(server, client), vault })
  const select = { where: { op: 'like', field: 'key', pattern: 'path:*' } } as const
  const parts = { source: sourceOf(part), target, authorize: owner }
  for await (const _ of runMigration(await planMigration(parts, { select }), parts));
}

async function copy(ends: { readonly source: Source; readonly target: Target }): Promise<void> {
  const parts = { ...ends, authorize: owner }
  for await (const _ of runMigration(await planMigration(parts), parts));
}

async function contentsOf({ id, place }: Vault): Promise<ReadonlyMap<ContentId, Uint8Array>> {
  const members = await place.soups.soup(id).members({ limit: 1_000 })
  const contents = new Map<ContentId, Uint8Array>()
  for await (const { blocks } of place.objects.getMany([members.map((member) => member.id)])) {
    for (const block of blocks) contents.set(block.id, block.bytes)
  }
  return contents
}
