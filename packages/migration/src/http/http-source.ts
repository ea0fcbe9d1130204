import type { AbortOptions, ContentId } from '@vault/core'
import type { TrailSource } from '../endpoint.ts'
import { HttpClient } from './http-client.ts'
import type { HttpOptions } from './http-options.ts'
import { remoteObjects } from './remote-objects.ts'
import { remoteSoup } from './remote-soup.ts'

/** A vault at a place that is reached over HTTPS, as the source of copies. It must be closed. */
export interface HttpSource extends TrailSource, AsyncDisposable {}

/**
 * The vault behind an address. Asks at once who it is. Throws `HTTP_UNREACHABLE`, `HTTP_PEER_KEY`, `HTTP_NOT_ALLOWED`, and a
 * `TypeError` for what is no address of a server.
 */
export async function httpSource(
  url: string,
  { vault, ...options }: HttpOptions & AbortOptions & { readonly vault: ContentId },
): Promise<HttpSource> {
  const client = new HttpClient(url, options)
  const ask = client.asking(vault, 'source')
  await ask('place', null, options).catch((error: unknown) => {
    client.close()
    throw error
  })
  const soup = remoteSoup(ask)
  return {
    vault,
    label: client.name,
    objects: remoteObjects(client, { ask, vault, side: 'source' }),
    soup,
    keyEvents: (abort) => ask('key-events', null, abort),
    held: (range, abort) => soup.held(range, abort),
    async trail(abort) {
      const note = await ask('trail-head', null, abort)
      if (note === null) return undefined
      const read = async (name: string, o?: AbortOptions) => (await ask('trail-file', { name }, o)) ?? undefined
      return { log: { read }, note }
    },
    async [Symbol.asyncDispose]() {
      client.close()
    },
  }
}
