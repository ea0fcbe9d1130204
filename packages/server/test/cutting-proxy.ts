import { connect, createServer, type Socket } from 'node:net'

/** What a proxy does to a connection. */
export interface Harm {
  /** Cuts a connection when so many bytes have gone up it. */
  readonly cutAfter?: number
  /** How many connections. Default: all. */
  readonly times?: number
  /** Cuts the first so many connections when an answer of this length has come: it is done, and the client does not know. */
  readonly loseAnswersAfter?: number
  /** With a reset, and not an end. */
  readonly reset?: boolean
  /** Passes on one byte at a time. */
  readonly byByte?: boolean
  /** Takes everything and passes nothing on. */
  readonly silent?: boolean
}

/** A proxy between two ends that know nothing of it, and harms what passes. */
export async function cuttingProxy(
  port: number,
  harm: Harm,
): Promise<
  {
    readonly port: number
    readonly cuts: () => number
    /** Connections that were taken, all in all. */
    readonly taken: () => number
    /** Bytes that have gone up. */
    readonly passed: () => number
    /** From now on everything is taken, and nothing passed on. */
    readonly fallSilent: () => void
    /** Nothing is passed on any more of the connections that are there, nor that they end: as where an end was asleep. */
    readonly forget: () => void
  } & AsyncDisposable
> {
  const sockets = new Set<Socket>()
  let [cuts, taken] = [0, 0]
  let all = 0
  let isSilent = harm.silent === true
  let age = 0
  const server = createServer((client) => {
    taken++
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    if (isSilent) return
    const born = age
    let passed = 0
    client.on('data', (chunk: Buffer) => {
      if (isSilent || born !== age) return
      passed += chunk.length
      all += chunk.length
      if (harm.cutAfter !== undefined && passed > harm.cutAfter && cuts < (harm.times ?? Number.POSITIVE_INFINITY)) {
        cuts++
        if (harm.reset) client.resetAndDestroy()
        else client.destroy()
        upstream.destroy()
        return
      }
      if (harm.byByte) for (const byte of chunk) upstream.write(Uint8Array.of(byte))
      else upstream.write(chunk)
    })
    let answered = 0
    upstream.on('data', (chunk: Buffer) => {
      if (isSilent || born !== age) return
      answered += chunk.length
      const { loseAnswersAfter = Number.POSITIVE_INFINITY, times = Number.POSITIVE_INFINITY } = harm
      if (answered <= loseAnswersAfter || cuts >= times) return void client.write(chunk)
      cuts++
      client.destroy()
      upstream.destroy()
    })
    client.on('end', () => void (born === age && upstream.end()))
    upstream.on('end', () => void (born === age && client.end()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { readonly port: number }).port,
    cuts: () => cuts,
    taken: () => taken,
    passed: () => all,
    fallSilent: () => {
      isSilent = true
    },
    forget: () => {
      age++
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
