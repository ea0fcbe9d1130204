import { type KeyId, type Signer, VaultError, type VaultId } from '@vault/core'
import { openPlace } from '@vault/embedded'
import { listMoves, type MoveState } from '@vault/migration'
import { type DistantEvent, type HttpPlace, httpPlace, type MoveRequest } from '@vault/migration/http'
import { expect } from 'vitest'
import type { MoveDestination, VaultServer } from '../src/index.ts'
import { anyKey, SHORT, type scratch, serve, vaultIn } from './served.ts'

type Folder = Awaited<ReturnType<typeof scratch>>

/** Two servers: at the first one a vault, and a key that may have it moved to the second one. */
export async function twoServers(
  folder: Folder,
  {
    files = 40,
    besides = [],
    authorize,
  }: {
    readonly files?: number
    /** Where vaults may move to besides. */
    readonly besides?: readonly MoveDestination[]
    readonly authorize?: Parameters<typeof serve>[1]['authorize']
  } = {},
) {
  const { vault, place } = await vaultIn(folder.at('a'), files)
  await vault[Symbol.asyncDispose]()
  const client = anyKey()
  const b = await serve(folder.at('b'), { allow: [place.key, client.key] })
  const failed: unknown[] = []
  const a = await serve(folder.at('a'), {
    moves: [client.key],
    moveTo: [b, ...besides],
    failed: (error) => failed.push(error),
    ...(authorize && { authorize }),
  })
  return {
    a,
    b,
    client,
    failed,
    place: place.key,
    vault: vault.id,
    async [Symbol.asyncDispose]() {
      await Promise.all([a.close(), b.close()])
    },
  }
}

/** A vault that was signed away at the first server and has not been taken by the second one. */
export async function signedAway(
  folder: Folder,
  refuses: (move: MoveState | undefined) => boolean | Promise<boolean> = () => false,
) {
  await using opened = new AsyncDisposableStack()
  const { vault, place } = await vaultIn(folder.at('a'), 3)
  await vault[Symbol.asyncDispose]()
  const client = anyKey()
  const seen = opened.use(await openPlace(folder.at('a'), { mode: 'read' }))
  let isClosed = true
  const authorize: NonNullable<Parameters<typeof serve>[1]['authorize']> = async ({ action, object }) => {
    const [move] = await listMoves(seen.soups.records)
    if ((await refuses(move)) || (isClosed && (await seen.soups.tenures.read(vault.id)).state === 'retired'))
      throw new VaultError({ code: 'CAP_DENIED', message: 'Not now.' })
    return { action, object, proven: true }
  }
  const b = opened.use(await serve(folder.at('b'), { authorize }))
  const a = opened.use(await serve(folder.at('a'), { moves: [client.key], moveTo: [b] }))
  const from = opened.use(placeAt(a, client))
  const to = opened.use(placeAt(b, client))
  await expect(follow(from.move(vault.id, requestTo(b)))).rejects.toMatchObject({ code: 'MIGRATION_NOT_GRANTED' })
  const moves = () => listMoves(seen.soups.records)
  expect(await moves()).toMatchObject([{ phase: 'handoff-signed' }])
  isClosed = false
  const kept = opened.move()
  return {
    vault: vault.id,
    place,
    client,
    a,
    b,
    from,
    to,
    moves,
    [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
  }
}

export function placeAt({ url, key }: VaultServer, place: Signer): HttpPlace {
  return httpPlace(url, { place, peerKey: key, timeouts: SHORT })
}

export function requestTo({ url, key }: { readonly url: string; readonly key: KeyId }): MoveRequest {
  return { to: { url, key }, live: null, reread: false, allowBroken: [], bytesPerSecond: null }
}

/** The move to its end, or until this step begins. */
export async function follow(events: AsyncIterable<DistantEvent>, until?: string): Promise<MoveState | undefined> {
  for await (const event of events) {
    if (event.type === 'moved') return event.state
    if (event.type === 'step' && event.step.effect === until) return undefined
  }
  throw new Error('The move ended without a word.')
}

export async function standing(place: HttpPlace, vault: VaultId): Promise<string | undefined> {
  return (await place.vaults()).find((each) => each.vault === vault)?.state
}

/** Asks until the place says so. */
export async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('It does not come to hold.')
}
