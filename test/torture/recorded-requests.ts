import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type KeyId, type Signer, systemClock, systemRandom } from '@vault/core'
import { createPeerCredentials } from '@vault/migration/http'

/** A request as a client of ours has sent it. */
export interface RecordedRequest {
  readonly path: string
  readonly body: Uint8Array
}

/** Somebody between a client and a server, who has the keys of both. */
export interface Recorder extends AsyncDisposable {
  readonly url: string
  readonly requests: readonly RecordedRequest[]
  /** Keeps what is asked for by these names from now on to itself, and refuses it. */
  withhold(...names: readonly string[]): void
}

interface Ends {
  readonly server: { readonly url: string; readonly key: KeyId }
  readonly serverPlace: Signer
  readonly clientPlace: Signer
}

const REFUSED = JSON.stringify({ error: { code: 'RECORDED', message: 'It was taken down, and goes no further.' } })

/** Passes requests on to a server as they come, and keeps them. */
export async function recordRequests({ server, serverPlace, clientPlace }: Ends): Promise<Recorder> {
  const requests: RecordedRequest[] = []
  const withheld = new Set<string>()
  const parts = { clock: systemClock, random: systemRandom }
  const asClient = await createPeerCredentials(clientPlace, parts)
  const asServer = await createPeerCredentials(serverPlace, parts)
  const between = createServer({ ...asServer, minVersion: 'TLSv1.3' }, (asked, answered) => {
    const path = asked.url ?? ''
    const chunks: Uint8Array[] = []
    asked.on('data', (chunk: Uint8Array) => chunks.push(chunk))
    asked.on('close', () => requests.push({ path, body: Uint8Array.from(Buffer.concat(chunks)) }))
    if (withheld.has(path.split('/').at(-1) ?? '')) {
      asked.resume()
      answered.writeHead(409, { 'content-type': 'application/json' }).end(REFUSED)
      return
    }
    const { method, headers } = asked
    const sent = request(new URL(path, server.url), { method, headers, rejectUnauthorized: false, ...asClient })
    sent.on('error', () => answered.destroy())
    sent.on('response', (answer) => {
      answered.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.on('error', () => answered.destroy()).pipe(answered)
    })
    asked.pipe(sent)
    answered.on('close', () => sent.destroy())
  })
  await new Promise<void>((resolve) => void between.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://127.0.0.1:${(between.address() as AddressInfo).port}`,
    requests,
    withhold: (...names) => names.forEach((name) => void withheld.add(name)),
    async [Symbol.asyncDispose]() {
      between.closeAllConnections()
      await new Promise((resolve) => void between.close(resolve))
    },
  }
}
