import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { scratch, serve } from './served.ts'

test('one address has its share of the connections, and gets it back when it lets them go', async () => {
  await using folder = await scratch()
  await using server = await serve(folder.at('a'), { limits: { perAddress: 2 } })
  const port = Number(new URL(server.url).port)
  const sockets: Socket[] = []
  /** Whether a connection is kept for a moment. */
  const isKept = async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    sockets.push(socket)
    await once(socket, 'connect')
    return await Promise.race([once(socket, 'close').then(() => false), sleep(300).then(() => true)])
  }
  try {
    expect([await isKept(), await isKept(), await isKept()]).toEqual([true, true, false])
    sockets[0]?.destroy()
    await sleep(100)
    expect([await isKept(), await isKept()]).toEqual([true, false])
  } finally {
    for (const socket of sockets) socket.destroy()
  }
})
