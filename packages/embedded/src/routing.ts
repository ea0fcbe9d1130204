import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { isVaultError, VaultError } from '@vault/core'
import type { Routing } from '@vault/migration'
import { writeDurably } from './durable-file.ts'

/** The `code` of the errors of routing. */
export type RoutingErrorCode =
  /** The file is no table of routes, or the command failed. The vault has moved; asked for again, the move does this again. `details.file`, `details.exit`. */
  'ROUTING_FAILED'

type Route = Parameters<Routing['update']>[0]

/** Where clients reach both places. Default: their labels, which do not say where they lie. */
export interface RouteAddresses {
  readonly from?: string
  readonly to?: string
}

/**
 * Routes in a file that clients read: a JSON object with, for each vault, the place that is active since which epoch. Other
 * members of it stay. An older epoch never replaces a newer one.
 */
export function fileRouting(path: string, { to }: Pick<RouteAddresses, 'to'> = {}): Routing {
  return {
    async update(route, options) {
      options?.signal?.throwIfAborted()
      const table = await readTable(path)
      const known = table[route.vault] as { readonly epoch?: unknown } | undefined
      if (typeof known?.epoch === 'number' && known.epoch > route.epoch) return
      const { label, instance } = route.to
      const entry = { place: to ?? label, instance, epoch: route.epoch, migration: route.migration }
      await writeDurably(path, `${JSON.stringify({ ...table, [route.vault]: entry }, null, 2)}\n`)
    },
  }
}

/**
 * Routes by a command of the user, run without a shell: the facts are in its environment beside what `env` gives (`VAULT_ID`, `VAULT_MIGRATION`, `VAULT_EPOCH`,
 * `VAULT_FROM`, `VAULT_TO`, which are the addresses, and `VAULT_TO_INSTANCE`). It must be harmless to run again, because a crash behind it repeats it.
 */
export function commandRouting(
  command: readonly [program: string, ...args: string[]],
  env: Readonly<Record<string, string | undefined>>,
  addresses: RouteAddresses = {},
): Routing {
  return {
    async update(route, options) {
      const exit = await run(command, { ...env, ...factsOf(route, addresses) }, options?.signal)
      if (exit === 0) return
      throw new VaultError<RoutingErrorCode>({
        code: 'ROUTING_FAILED',
        message: `The command ${JSON.stringify(command[0])}, which leads clients to the new place, ended with ${exit}. The vault has moved; "vault-migrate run" with the same ends runs it again.`,
        details: { exit },
      })
    },
  }
}

async function readTable(path: string): Promise<Record<string, unknown>> {
  try {
    const table: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (typeof table === 'object' && table !== null && !Array.isArray(table)) return table as Record<string, unknown>
    throw notTable(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw isVaultError(error) ? error : notTable(path, error)
  }
}

function notTable(path: string, cause?: unknown): VaultError<RoutingErrorCode> {
  return new VaultError({
    code: 'ROUTING_FAILED',
    message: `${path} is no JSON object of routes, so it is left as it is. The vault has moved; mend the file, and "vault-migrate run" with the same ends writes it.`,
    details: { file: path },
    cause,
  })
}

function factsOf(
  { vault, migration, epoch, from, to }: Route,
  addresses: RouteAddresses,
): Readonly<Record<string, string>> {
  return {
    VAULT_ID: vault,
    VAULT_MIGRATION: migration,
    VAULT_EPOCH: String(epoch),
    VAULT_FROM: addresses.from ?? from.label,
    VAULT_TO: addresses.to ?? to.label,
    VAULT_TO_INSTANCE: to.instance,
  }
}

/** The exit code, or what ended it. What it prints goes to stderr, because stdout is the result's. */
function run(
  [program, ...args]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<number | string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 2, 2], ...(signal && { signal }) })
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.name === 'AbortError') reject(signal?.reason ?? error)
      else resolve(error.code ?? error.message)
    })
    child.on('exit', (code, killed) => resolve(code ?? killed ?? 'an unknown end'))
  })
}
