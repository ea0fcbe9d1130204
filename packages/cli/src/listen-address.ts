import { createServer } from 'node:net'
import { UsageError } from './exit-code.ts'

/** Where a server listens. */
interface Where {
  readonly host: string
  readonly port: number
}

/** Listens for a moment, before a place is opened or made. Throws a `UsageError` where that cannot be done. */
export async function requireFree(where: Where): Promise<void> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(where, resolve))
  } catch (error) {
    throw new UsageError(reasonOf((error as NodeJS.ErrnoException).code, where))
  }
  await new Promise<void>((resolve) => server.close(() => resolve()))
}

// https://nodejs.org/api/errors.html#common-system-errors
function reasonOf(code: string | undefined, { host, port }: Where): string {
  switch (code) {
    case 'EADDRINUSE':
      return `Another program listens at port ${port} of ${host} already: end it, or name another --port; 0 is any that is free.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${host}: name one that it has with --host; 0.0.0.0 is all of them.`
    case 'EACCES':
      return `The system does not let you listen at port ${port}: name one from 1024 on with --port.`
    default:
      return `Nothing can listen at port ${port} of ${host}: ${code}. Name others with --host and --port.`
  }
}
