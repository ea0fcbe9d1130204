import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import { idle } from './connection-failure.ts'

/**
 * Ends a request when nothing has come for so many milliseconds. What goes counts for nothing: the system takes it for a while when the
 * other end has long gone.
 */
export function endSilent(sent: ClientRequest, ms: number): void {
  sent.once('socket', (socket: Socket) => {
    let last = performance.now()
    const heard = () => {
      last = performance.now()
    }
    const look = () => {
      const silent = performance.now() - last
      if (silent >= ms) return void sent.destroy(idle(silent))
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
