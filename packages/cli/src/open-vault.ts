import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { AbortOptions } from '@vault/core'
import type { OpenOptions, Vault } from '@vault/embedded'
import type { Command } from 'commander'
import { type AsOptions, actingAs, addAsOptions } from './as-options.ts'
import type { Output } from './output.ts'

/** Where it is kept how far vaults were. */
export interface StateDirOptions {
  readonly stateDir?: string
}

/** Options of the commands that open a vault: who acts, and where it is kept how far vaults were. */
export interface StateOptions extends AsOptions, StateDirOptions {}

/** Options of the commands that only read one. */
export interface ReadOptions extends StateOptions {
  readonly ignoreMark?: boolean
}

/** Gives a command the options of who acts, and of where it is kept how far vaults were. */
export function addStateOption(command: Command): Command {
  return addStateDirOption(addAsOptions(command))
}

/** The latter alone, for a command that looks at a folder and at no vault. */
export function addStateDirOption(command: Command): Command {
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
    ...(await actingAs(options)),
    stateDir: stateDirOf(options, process.env),
    ignoreMark,
    warn: ({ message }) => output.warn(`Warning: ${message}`),
  })
}

/** Whether those named with `--as` may do what is done to a folder past its vault. */
export async function requireGranted(
  dir: string,
  action: string,
  options: StateOptions & { readonly output: Output },
): Promise<void> {
  if ((options.as ?? []).length === 0) return
  await using _ = await openVaultAt(dir, { ...options, ignoreMark: true }, { mode: 'read', intent: { action } })
}

/** What opening a vault is for that is read at a name, or at all names where it is empty. */
export function readingAt(name: string): NonNullable<OpenOptions['intent']> {
  return { action: 'read', ...(name !== '' && { path: name.split('/') }) }
}
