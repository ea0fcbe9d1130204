import { setImmediate } from 'node:timers/promises'

/**
 * Lets other work of this process run. Everything SQLite does blocks the event loop, and awaiting what is there already
 * does not free it, so whoever reads page after page would starve timers, sockets and abort signals.
 */
export async function nextTurn(): Promise<void> {
  await setImmediate()
}
