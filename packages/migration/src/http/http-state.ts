import type { AbortOptions, ContentId } from '@vault/core'
import { isVaultError } from '@vault/core'
import type { SoupReader } from '@vault/soup'
import type { Side } from './calls.ts'
import { HttpClient } from './http-client.ts'
import type { HttpOptions } from './http-options.ts'
import { remoteSoup } from './remote-soup.ts'

/** The state of a vault at a place that is reached over HTTPS, to be looked at and compared. It must be closed. */
export interface HttpState extends AsyncDisposable {
  readonly vault: ContentId
  readonly label: string
  readonly soup: SoupReader
}

/** Leave to read is enough; whoever may copy the vault from there, or bring it there, sees as much. */
const SIDES: readonly Side[] = ['state', 'source', 'target']

/**
 * The vault behind an address. Asks at once who it is. Throws `HTTP_UNREACHABLE`, `HTTP_PEER_KEY`, `HTTP_NOT_ALLOWED`, and a
 * `TypeError` for what is no address of a server.
 */
export async function httpState(
  url: string,
  { vault, ...options }: HttpOptions & AbortOptions & { readonly vault: ContentId },
): Promise<HttpState> {
  const client = new HttpClient(url, options)
  try {
    let refused: unknown
    for (const side of SIDES) {
      const ask = client.asking(vault, side)
      try {
        await ask('place', null, options)
        const close = async () => client.close()
        return { vault, label: client.name, soup: remoteSoup(ask), [Symbol.asyncDispose]: close }
      } catch (error) {
        if (!isVaultError(error, 'HTTP_NOT_ALLOWED')) throw error
        refused ??= error
      }
    }
    throw refused
  } catch (error) {
    client.close()
    throw error
  }
}
