import { UsageError } from './exit-code.ts'
import type { MoveOptions } from './move-options.ts'

export const SERVED =
  'a server has keys of its own, which "vaultctl serve --passphrase-file" opens, or protects where they are made'

type Instead = Readonly<Partial<Record<keyof MoveOptions, readonly [option: string, instead: string]>>>

/** What only the machine can do that a vault leaves, and what does it instead where a server does. */
export const LEAVING = {
  passphraseFile: ['--passphrase-file', SERVED],
  ceremony: ['--ceremony', 'run this on the machine of the first server, with its folder as --from and the same --to'],
} as const satisfies Instead

/** Throws a `UsageError` for an option that a server cannot be given. */
export function requireServed(options: MoveOptions, local: Instead): void {
  for (const [name, [option, instead]] of Object.entries(local)) {
    const given = options[name as keyof MoveOptions]
    // `true` where `--no-to-passphrase` was left out.
    if (given === undefined || given === true) continue
    throw new UsageError(`${option} is for a vault of this machine: ${instead}.`)
  }
}
