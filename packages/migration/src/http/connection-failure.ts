/** Nothing came for so many milliseconds. */
export function idle(ms: number): Error {
  return Object.assign(new Error(`Nothing came for ${ms} ms`), { code: 'ETIMEDOUT' })
}

/** The other end is gone in the middle. */
export function cut(cause?: unknown): Error {
  return Object.assign(new Error('The connection was cut', { cause }), { code: 'ECONNRESET' })
}

/** What another try will not change. */
export function isHopeless(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException
  return code === 'EPROTO' || code === 'ENOTFOUND' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')
}
