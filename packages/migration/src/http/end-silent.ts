import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { idle } from './connection-failure.ts'

/**
 * Ends a request when nothing has come for so many milliseconds. What goes counts for nothing: the system takes it for a while when the
 * other end has long gone. Whoever waits for the answer, or reads it, gets an error that says for how long.
 */
export function endSilent(sent: ClientRequest, ms: number): void {
  let waiting: ClientRequest | IncomingMessage = sent
  sent.once('response', (answer: IncomingMessage) => {
    // An answer that has begun ends with an error of its own, which would not know of the silence.
    waiting = answer
  })
  sent.once('socket', (socket: Socket) => {
    let last = performance.now()
    const heard = () => {
      last = performance.now()
    }
    const look = () => {
      const silent = performance.now() - last
      if (silent >= ms) return void waiting.destroy(idle(silent))
      timer = setTimeout(look, ms - silent)
    }
    let timer = setTimeout(look, ms)
    socket.on('data', heard)
    sent.once('close', () => {
      clearTimeout(timer)
      socket.off('data', heard)
    })
  })
}
