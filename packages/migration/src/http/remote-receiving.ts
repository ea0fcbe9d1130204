import type { AbortOptions, ContentId } from '@vault/core'
import { isVaultError } from '@vault/core'
import type { Receiving } from '../endpoint.ts'
import type { Session } from './calls.ts'
import type { HttpClient } from './http-client.ts'
import { remoteObjects } from './remote-objects.ts'
import { remoteSoup } from './remote-soup.ts'

/** What a vault holds at another place that it is brought to. */
export function remoteContent(client: HttpClient, vault: ContentId): Pick<Receiving, 'objects' | 'soup'> {
  const ask = client.asking(vault, 'target')
  return { objects: remoteObjects(client, { ask, vault, side: 'target' }), soup: remoteSoup(ask) }
}

/**
 * A vault at another place that is opened for writing, and opened again where the place has forgotten that: the server began anew, or
 * others of the same key needed the room. What had been stored and was not under charge is to be stored again then (`SOUP_NOT_STORED`).
 * Throws `HTTP_SESSION` where another migration has begun there since, or this one has ended: that is not undone.
 */
export async function remoteReceiving(
  client: HttpClient,
  vault: ContentId,
  { migration, open }: { readonly migration: string; readonly open: (options?: AbortOptions) => Promise<Session> },
  options: AbortOptions | undefined,
): Promise<Receiving> {
  const ask = client.asking(vault, 'target')
  let { session, found } = await open(options)

  async function within<T>(abort: AbortOptions | undefined, act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      if (!isVaultError(error, 'HTTP_SESSION')) throw error
      const tenure = await ask('tenure', null, abort)
      // An active vault takes parts of others at the same time.
      if (tenure.state !== 'active' && tenure.migration !== migration) throw error
      session = (await open(abort)).session
      return await act()
    }
  }

  return {
    found,
    ...remoteContent(client, vault),
    intake: {
      async receive(batch, abort) {
        // However often it has to be asked for, a batch is taken once, and one with a record by a server that began anew, too.
        const request = client.newName()
        return await within(abort, () => ask('intake', { session, request, batch }, abort))
      },
    },
    finish: (verified, abort) => within(abort, () => ask('finish', { session, verified }, abort)),
  }
}
