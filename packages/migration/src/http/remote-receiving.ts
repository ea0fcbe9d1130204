import type { ContentId } from '@vault/core'
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

/** A vault at another place that has been opened for writing. */
export function remoteReceiving(client: HttpClient, vault: ContentId, { session, found }: Session): Receiving {
  const ask = client.asking(vault, 'target')
  return {
    found,
    ...remoteContent(client, vault),
    intake: {
      // However often it has to be asked for, a batch is taken once.
      receive: (batch, abort) => ask('intake', { session, request: client.newName(), batch }, abort),
    },
    finish: (verified, abort) => ask('finish', { session, verified }, abort),
  }
}
