import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/** What passes everything on to a port, and counts it. */
export interface Relay extends Disposable {
  readonly port: number
  /** Bytes of both ways, so far. */
  readonly bytes: () => number
  /** How often the way turned, so far: each answer that something else is asked behind costs the way there and back. */
  readonly turns: () => number
}

export async function relayTo(port: number): Promise<Relay> {
  let [bytes, turns] = [0, 0]
  let last = ''
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const [way, from, to] of [
      ['up', near, far],
      ['down', far, near],
    ] as const) {
      from.on('data', (part) => {
        bytes += part.length
        if (way === 'up' && last !== 'up') turns++
        last = way
      })
      from.on('error', () => to.destroy())
      from.pipe(to)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    bytes: () => bytes,
    turns: () => turns,
    [Symbol.dispose]: () => void server.close(),
  }
}
