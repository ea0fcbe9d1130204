import type { KeyId, Signer, VaultId } from '@vault/core'
import type { MoveState, ToldEvent } from '@vault/migration'
import { type HttpPlace, httpPlace, type MoveRequest } from '@vault/migration/http'
import type { VaultServer } from '../src/index.ts'
import { anyKey, SHORT, type scratch, serve, vaultIn } from './served.ts'

type Folder = Awaited<ReturnType<typeof scratch>>

/** Two servers: at the first one a vault, and a key that may have it moved to the second one. */
export async function twoServers(
  folder: Folder,
  {
    files = 40,
    authorize,
  }: { readonly files?: number; readonly authorize?: Parameters<typeof serve>[1]['authorize'] } = {},
) {
  const { vault, place } = await vaultIn(folder.at('a'), files)
  await vault[Symbol.asyncDispose]()
  const client = anyKey()
  const b = await serve(folder.at('b'), { allow: [place.key, client.key] })
  const failed: unknown[] = []
  const a = await serve(folder.at('a'), {
    moves: [client.key],
    moveTo: [b],
    failed: (error) => failed.push(error),
    ...(authorize && { authorize }),
  })
  return {
    a,
    b,
    client,
    failed,
    vault: vault.id,
    async [Symbol.asyncDispose]() {
      await Promise.all([a.close(), b.close()])
    },
  }
}

export function placeAt({ url, key }: VaultServer, place: Signer): HttpPlace {
  return httpPlace(url, { place, peerKey: key, timeouts: SHORT })
}

export function requestTo({ url, key }: { readonly url: string; readonly key: KeyId }): MoveRequest {
  return { to: { url, key }, live: null, reread: false, allowBroken: [], bytesPerSecond: null }
}

/** The move to its end, or until this step begins. */
export async function follow(events: AsyncIterable<ToldEvent>, until?: string): Promise<MoveState | undefined> {
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
