import { setTimeout as sleep } from 'node:timers/promises'
import type { AbortOptions, Clock, Random } from '@vault/core'
import { isVaultError } from '@vault/core'
import { isBusy, soupErrorFrom, storeError } from './sqlite-error.ts'

/** How a store waits for other writers. */
export interface Patience {
  readonly file: string
  /** Milliseconds after which `SOUP_BUSY` is thrown. */
  readonly busyTimeout: number
  readonly clock: Clock
  readonly random: Random
}

/** Longest pause between two tries, in milliseconds. */
const MAX_PAUSE = 64

/**
 * Runs synchronous work on the database, again and again while another process holds the lock, with pauses in which
 * this process goes on. SQLite has no queue of waiters, so pauses are random: no two processes keep in step.
 */
export async function whenFree<T>(
  patience: Patience,
  doing: 'read' | 'write',
  work: () => T,
  options: AbortOptions | undefined,
): Promise<T> {
  let deadline: number | undefined
  for (let tries = 0; ; tries++) {
    options?.signal?.throwIfAborted()
    try {
      return work()
    } catch (error) {
      if (!isBusy(error)) throw soupErrorFrom(error, patience.file, doing)
      const now = patience.clock().getTime()
      deadline ??= now + patience.busyTimeout
      if (now >= deadline) {
        if (isVaultError(error)) throw error
        const message = `${patience.file} was busy for ${patience.busyTimeout} ms; nothing was changed. Repeat later.`
        throw storeError('SOUP_BUSY', message, { details: { file: patience.file }, cause: error })
      }
    }
    const [fraction] = patience.random(1)
    await pause(Math.min(MAX_PAUSE, 2 ** tries) * ((fraction as number) / 255), options)
  }
}

async function pause(milliseconds: number, options: AbortOptions | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, options?.signal === undefined ? {} : { signal: options.signal })
  } catch {
    // The timer reports an abort as an error of its own.
    options?.signal?.throwIfAborted()
  }
}
