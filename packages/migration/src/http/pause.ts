import type { AbortOptions } from '@vault/core'

/** Waits so many milliseconds. Throws the signal's reason where it is aborted. */
export async function pause(ms: number, { signal }: AbortOptions): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
