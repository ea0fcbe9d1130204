import { resolve } from 'node:path'
import type { SeatOptions, SigningCeremony } from '@vault/embedded'
import type { Routing } from '@vault/migration'
import type { Command } from 'commander'
import { UsageError } from './exit-code.ts'
import { KeyBook } from './key-book.ts'
import { openKeystore } from './keystore-options.ts'
import { addStateOption, type StateOptions } from './open-vault.ts'
import type { Output } from './output.ts'
import { existingPassphrase, newPassphrase } from './passphrase.ts'
import { addRemoteOptions, isRemote } from './remote-end.ts'
import { addPlaceOption, type RemotePlaceOptions } from './remote-place.ts'
import { repeatable } from './repeatable.ts'
import { thisSoftware } from './software.ts'

/** Options of the commands that hand a vault off. */
export interface MoveOptions extends StateOptions, RemotePlaceOptions {
  readonly from: string
  readonly to: string
  readonly fromKey?: string
  readonly back?: boolean
  readonly passphraseFile?: string
  readonly toPassphraseFile?: string
  /** `false` for `--no-to-passphrase`. */
  readonly toPassphrase?: boolean
  readonly route?: string
  readonly routeCommand?: string
  readonly ceremony?: string
  readonly allowBroken?: readonly string[]
  readonly events?: string
}

/** Gives a command the options of both places, their keys and routing. */
export function addMoveOptions(command: Command): Command {
  return addPlaceOption(addRemoteOptions(addStateOption(command)))
    .option(
      '--from-key <key>',
      'where both ends are https://…: the key of the server at --from; where --to is a folder, --peer-key is that',
    )
    .option('--back', 'move it back: --from and --to the other way round')
    .option('--passphrase-file <file>', 'opens the identity key of the vault; asked for at a terminal')
    .option('--to-passphrase-file <file>', 'protects the keys made at the target; default: the same passphrase')
    .option('--no-to-passphrase', 'keep the keys made at the target without a passphrase')
    .option(
      '--ceremony <dir>',
      'where those sign who hold the identity of the vault elsewhere: "vaultctl ceremony join"',
    )
    .option(
      '--allow-broken <id>',
      'a certificate whose chain may break with the keys that the target makes, or whose chains were not all judged; each that is named by the refusal',
      repeatable,
    )
    .option('--route <file>', 'write where the vault is active into this file (JSON), when it is')
    .option('--events <file>', 'add a line of JSON for everything that happens to this file; -: to stdout')
    .option('--route-command <command>', 'run this program when the vault is active there (VAULT_TO, VAULT_EPOCH, …)')
}

/** The certificates whose chains may break. */
export async function brokenBy({ allowBroken = [] }: Pick<MoveOptions, 'allowBroken'>): Promise<readonly string[]> {
  const { isContentId } = await import('@vault/core')
  const noId = allowBroken.find((id) => !isContentId(id))
  if (noId !== undefined) throw new UsageError(`${noId} is not the id of a certificate.`)
  return allowBroken
}

/** Both ends, the way round that is meant. */
export function endsOf({ from, to, back = false }: MoveOptions): { readonly from: string; readonly to: string } {
  return back ? { from: to, to: from } : { from, to }
}

/** The keys of both places: the source's are opened, the target's made. `sealed`: the source's are under a passphrase. */
export function seatsOf(
  options: MoveOptions,
  sealed: boolean,
  output: Output,
): { readonly source: SeatOptions; readonly target: SeatOptions } {
  const { passphraseFile, toPassphraseFile, toPassphrase = true } = options
  const passphrase = once(() =>
    existingPassphrase({ ...(passphraseFile !== undefined && { passphraseFile }) }, process),
  )
  const fresh = once(async () => {
    const chosen = await (async () => {
      if (!toPassphrase) return undefined
      if (toPassphraseFile !== undefined) return await newPassphrase({ passphraseFile: toPassphraseFile }, process)
      return sealed ? await passphrase() : undefined
    })()
    if (chosen === undefined) output.warn(unprotected(endsOf(options).to))
    return chosen
  })
  return { source: { passphrase }, target: { passphrase: fresh, newPassphrase: fresh } }
}

/** The keys that are made in a folder to which a server moves a vault: how those at the source are kept only that knows. */
export function seatFrom(options: MoveOptions, output: Output): SeatOptions {
  const { toPassphraseFile, toPassphrase = true } = options
  const { to } = endsOf(options)
  const fresh = once(async () => {
    const asked = {
      passphrase: toPassphrase,
      ...(toPassphraseFile !== undefined && { passphraseFile: toPassphraseFile }),
    }
    const chosen = await newPassphrase(asked, process, `the vault's new keys in ${to}`)
    if (chosen === undefined) output.warn(unprotected(to))
    return chosen
  })
  return { passphrase: fresh, newPassphrase: fresh }
}

function unprotected(dir: string): string {
  return `The vault's new keys in ${dir} are kept WITHOUT a passphrase: who can read that folder can act as this vault.`
}

/** Where holders of the identity sign who are elsewhere, if that was said. */
export async function ceremonyOf({
  ceremony: dir,
  keystore,
}: MoveOptions): Promise<{ readonly ceremony?: SigningCeremony }> {
  if (dir === undefined) return {}
  const { names } = await KeyBook.of(await openKeystore(keystore === undefined ? {} : { keystore }))
  return { ceremony: { dir, software: thisSoftware(), names } }
}

/** Who leads clients to the new place, if anybody was named. */
export async function routingOf(options: MoveOptions): Promise<{ readonly routing?: Routing }> {
  const { route, routeCommand } = options
  if (route !== undefined && routeCommand !== undefined) {
    throw new UsageError('--route and --route-command exclude each other.')
  }
  const { commandRouting, fileRouting } = await import('@vault/embedded')
  const { from, to } = endsOf(options)
  const addresses = { from: addressOf(from), to: addressOf(to) }
  if (route !== undefined) return { routing: fileRouting(route, addresses) }
  if (routeCommand !== undefined) return { routing: commandRouting([routeCommand], process.env, addresses) }
  return {}
}

/** Where clients find an end. */
function addressOf(end: string): string {
  return isRemote(end) ? end : resolve(end)
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return () => {
    answer ??= ask()
    return answer
  }
}
