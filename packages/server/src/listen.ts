import { createServer, type Server } from 'node:net'
import { VaultError } from '@vault/core'

/** Where a server listens. */
export interface ServerAddress {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
}

/** `SERVER_CANNOT_LISTEN`: by `details.errno`, as `EADDRINUSE`, where another program does; `details.host`, `details.port`. */
export type ServerErrorCode = 'SERVER_CANNOT_LISTEN'

/** Throws `SERVER_CANNOT_LISTEN`, and a `RangeError` for what is no port. */
export async function listen(server: Server, where: ServerAddress): Promise<void> {
  const { port } = where
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`A port is 0 to 65535, not ${port}.`)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ ...where }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    throw cannotListen(error, where)
  }
}

/** Listens for a moment, before anything is opened or made. Throws `SERVER_CANNOT_LISTEN`. */
export async function checkAddress(where: ServerAddress): Promise<void> {
  const server = createServer()
  await listen(server, where)
  await new Promise<void>((resolve) => server.close(() => resolve()))
}

function cannotListen(error: unknown, { host, port }: ServerAddress): VaultError<ServerErrorCode> {
  const errno = (error as NodeJS.ErrnoException).code ?? 'unknown'
  return new VaultError({
    code: 'SERVER_CANNOT_LISTEN',
    message: REASONS[errno]?.({ host, port }) ?? `Nothing can listen at port ${port} of ${host}: ${errno}.`,
    details: { host, port, errno },
    cause: error,
  })
}

// https://nodejs.org/api/errors.html#common-system-errors
const REASONS: Readonly<Record<string, (where: ServerAddress) => string>> = {
  EADDRINUSE: ({ host, port }) => `Another program listens at port ${port} of ${host} already.`,
  EADDRNOTAVAIL: ({ host }) => `This machine has no address ${host}.`,
  ENOTFOUND: ({ host }) => `This machine has no address ${host}.`,
  EACCES: ({ port }) => `The system does not let this program listen at port ${port}.`,
}
