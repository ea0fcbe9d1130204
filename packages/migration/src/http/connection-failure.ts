/** Nothing came for so many milliseconds. */
export function idle(ms: number): Error {
  return silence(`Nothing came for ${Math.round(ms)} ms`, ms)
}

/** No connection stood within so many milliseconds. */
export function noConnection(to: string, ms: number): Error {
  return silence(`No connection to ${to} within ${Math.round(ms)} ms`, ms)
}

function silence(message: string, ms: number): Error {
  return Object.assign(new Error(message), { code: 'ETIMEDOUT', silentMs: ms })
}

/** For how many milliseconds nothing had come, before this was found out. */
export function silentMs(error: unknown): number {
  return (error as { readonly silentMs?: number }).silentMs ?? 0
}

/** The other end is gone in the middle. */
export function cut(cause?: unknown): Error {
  return Object.assign(new Error('The connection was cut', { cause }), { code: 'ECONNRESET' })
}

/** What came is no TLS, as from a server of plain HTTP: OpenSSL reads its first bytes as a version, or as a length. */
export function speaksNoTls(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException
  return code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG'
}

/** No host is found by its name: there is none, or nobody who would know it answers. */
export function isNoHost(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException
  return code === 'ENOTFOUND' || code === 'EAI_AGAIN'
}

/** What another try will not change. */
export function isHopeless(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException
  return code === 'EPROTO' || code === 'ENOTFOUND' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')
}
