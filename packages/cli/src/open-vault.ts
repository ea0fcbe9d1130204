import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { AbortOptions } from '@vault/core'
import type { OpenOptions, Vault } from '@vault/embedded'
import type { Command } from 'commander'
import type { Output } from './output.ts'

/** Options of the commands that open a vault. */
export interface StateOptions {
  readonly stateDir?: string
}

/** Options of the commands that only read one. */
export interface ReadOptions extends StateOptions {
  readonly ignoreMark?: boolean
}

/** Gives a command the option of where it is kept how far vaults were. */
export function addStateOption(command: Command): Command {
  return command.option('--state-dir <dir>', 'where it is kept how far this vault was, to know an old copy of it')
}

/** The same for a command that only reads, which may look into old copies. */
export function addReadOptions(command: Command): Command {
  return addStateOption(command).option('--ignore-mark', 'open it also where it is an old copy of what was here')
}

/**
 * The folder for state that is no vault's: the option, `VAULT_STATE_DIR`, or `vault` in the user's folder for state, as the XDG base
 * directory specification says: a relative `XDG_STATE_HOME` counts as none.
 */
export function stateDirOf({ stateDir }: StateOptions, env: NodeJS.ProcessEnv): string {
  const { XDG_STATE_HOME: xdg = '', VAULT_STATE_DIR: own = '' } = env
  if (stateDir !== undefined || own !== '') return stateDir ?? own
  return join(isAbsolute(xdg) ? xdg : join(homedir(), '.local', 'state'), 'vault')
}

/** Opens a vault and compares it with how far it was. Throws what `openVault` of `@vault/embedded` throws. */
export async function openVaultAt(
  dir: string,
  options: ReadOptions & { readonly output: Output },
  open: OpenOptions & AbortOptions,
): Promise<Vault> {
  const { openVault } = await import('@vault/embedded')
  const { output, ignoreMark = false } = options
  return await openVault(dir, {
    ...open,
    stateDir: stateDirOf(options, process.env),
    ignoreMark,
    warn: ({ message }) => output.warn(`Warning: ${message}`),
  })
}
