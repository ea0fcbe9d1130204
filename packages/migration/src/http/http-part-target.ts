import type { AbortOptions, ContentId } from '@vault/core'
import type { Target } from '../endpoint.ts'
import { HttpClient } from './http-client.ts'
import type { HttpOptions } from './http-options.ts'
import { remoteContent, remoteReceiving } from './remote-receiving.ts'

/** An active vault at a place that is reached over HTTPS, as the target of parts of other vaults. It must be closed. */
export interface HttpPartTarget extends Target, AsyncDisposable {
  /** The vault that takes the parts. */
  readonly vault: ContentId
}

/**
 * The vault behind an address that takes parts of others. Asks at once who is there. Throws `HTTP_UNREACHABLE`, `HTTP_PEER_KEY`,
 * `HTTP_NOT_ALLOWED`, and a `TypeError` for what is no address of a server.
 */
export async function httpPartTarget(
  url: string,
  { vault, ...options }: HttpOptions & AbortOptions & { readonly vault: ContentId },
): Promise<HttpPartTarget> {
  const client = new HttpClient(url, options)
  const ask = client.asking(vault, 'target')
  await ask('place', null, options).catch((error: unknown) => {
    client.close()
    throw error
  })
  return {
    label: client.name,
    vault,
    look: async (_, abort) => ({ tenure: await ask('tenure', null, abort), ...remoteContent(client, vault) }),
    receive({ vault: from, migration }, abort) {
      const open = (options?: AbortOptions) => ask('receive-part', { from, migration }, options)
      return remoteReceiving(client, vault, { migration, open }, abort)
    },
    async [Symbol.asyncDispose]() {
      client.close()
    },
  }
}
