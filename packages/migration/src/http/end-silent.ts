import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { idle } from './connection-failure.ts'

// A server says at least every second that it is there, so this is none that only works.
const QUIET_MS = 2_500

/** Who is told of silence that is not ended yet, and of its end. */
interface Listener {
  silent(ms: number): void
  heard(): void
}

/**
 * Ends a request when nothing has come for so many milliseconds. What goes counts for nothing: the system takes it for a while when the
 * other end has long gone. Whoever waits for the answer, or reads it, gets an error that says for how long.
 */
export function endSilent(sent: ClientRequest, ms: number, listener: Listener): void {
  let waiting: ClientRequest | IncomingMessage = sent
  sent.once('response', (answer: IncomingMessage) => {
    // An answer that has begun ends with an error of its own, which would not know of the silence.
    waiting = answer
  })
  sent.once('socket', (socket: Socket) => {
    let last = performance.now()
    let isQuiet = false
    const heard = () => {
      last = performance.now()
      if (isQuiet) listener.heard()
      isQuiet = false
    }
    const look = () => {
      const silent = performance.now() - last
      if (silent >= ms) return void waiting.destroy(idle(silent))
      if (silent >= QUIET_MS && !isQuiet) {
        isQuiet = true
        listener.silent(silent)
      }
      timer = setTimeout(look, isQuiet ? ms - silent : Math.min(ms, QUIET_MS) - silent)
    }
    let timer = setTimeout(look, Math.min(ms, QUIET_MS))
    socket.on('data', heard)
    sent.once('close', () => {
      clearTimeout(timer)
      socket.off('data', heard)
    })
  })
}
