import { parseKeyId, VaultError, type VaultId } from '@vault/core'
import type { MigrationErrorCode } from '@vault/migration'
import type { HttpPlace, MoveRequest } from '@vault/migration/http'
import { writeEvents } from './event-lines.ts'
import { EXIT, type ExitCode, UsageError } from './exit-code.ts'
import { followMove } from './follow-move.ts'
import { type LiveOptions, liveTermsOf } from './live-options.ts'
import { describeMoved, keepCertificate, movedResult } from './move-ending.ts'
import type { MoveVerb } from './move-on.ts'
import { brokenBy, endsOf, type MoveOptions } from './move-options.ts'
import type { Run } from './program.ts'
import { isRemote, parseRate } from './remote-end.ts'
import { remotePlace, remoteVault } from './remote-place.ts'

type Options = MoveOptions &
  LiveOptions & { readonly reread?: boolean; readonly certificate?: string; readonly migration?: string }

/** What only the machine can do that a vault lies on. */
const LOCAL = {
  passphraseFile: '--passphrase-file',
  toPassphraseFile: '--to-passphrase-file',
  route: '--route',
  routeCommand: '--route-command',
  ceremony: '--ceremony',
  svg: '--svg',
} as const satisfies Partial<Record<keyof Options, string>>

/** Has the server where a vault lies move it to another one, and says how it ended. Keys and data do not come by here. */
export async function moveBetween(run: Run, options: Options, verb: MoveVerb): Promise<ExitCode> {
  const { output, signal } = run
  const started = performance.now()
  const { from, fromKey, to, toKey } = keyedEnds(options)
  requireServers(options, verb)
  const request: MoveRequest = {
    to: { url: new URL(to).origin, key: parseKeyId(toKey) },
    live: liveTermsOf(options) ?? null,
    reread: options.reread ?? false,
    allowBroken: [...(await brokenBy(options))] as MoveRequest['allowBroken'],
    bytesPerSecond: options.bwlimit === undefined ? null : Math.ceil(parseRate(options.bwlimit)),
  }
  const { bwlimit: _, ...reached } = options
  await using place = await remotePlace(from, { ...reached, peerKey: fromKey })
  const vault = await remoteVault(from, place, signal)
  if (verb === 'resume') await requireUnfinished(place, vault, options.migration, signal)
  const events = place.move(vault, request, { signal })
  const told = options.events === undefined ? events : writeEvents(options.events, events, output)
  const state = await followMove(run, told, { begins: async () => {} })
  const certificate = await keepCertificate(state, options.certificate)
  const seconds = (performance.now() - started) / 1000
  const ending = { from, to, certificate, seconds, live: undefined, returns: undefined }
  await output.result({ ...movedResult(state, ending), vault }, describeMoved(state, ending))
  return EXIT.ok
}

/** What is to go on must have begun, and not have ended. */
async function requireUnfinished(
  place: HttpPlace,
  vault: VaultId,
  named: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { isEnded } = await import('@vault/migration')
  const open = (await place.moves(vault, { signal })).find(({ phase }) => !isEnded(phase))
  if (open !== undefined && (named ?? open.migration_id) === open.migration_id) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_UNKNOWN',
    message: `No checkpoint found: no migration${named === undefined ? '' : ` ${named}`} of the vault ${vault} is under way there.`,
    details: { vault, ...(named !== undefined && { migration: named }) },
  })
}

/** Both ends with their keys, the way round that is meant. */
function keyedEnds(options: Options): Readonly<Record<'from' | 'fromKey' | 'to' | 'toKey', string>> {
  const { from, to } = endsOf(options)
  const { fromKey: first, peerKey: second, back = false } = options
  const [fromKey, toKey] = back ? [second, first] : [first, second]
  if (!isRemote(to)) {
    throw new UsageError(
      `A vault moves from ${from} to another server, or from the folder that it lies in: serve ${to} ("vaultctl serve"), and name its address; or run this where ${from} is.`,
    )
  }
  if (fromKey === undefined || toKey === undefined) {
    throw new UsageError('Name the keys of both servers, --from-key and --peer-key: "vaultctl serve" prints them.')
  }
  return { from, fromKey, to, toKey }
}

function requireServers(options: Options, verb: MoveVerb): void {
  if (verb === 'rollback') {
    throw new UsageError('A move between servers is taken back where the vault lies: "vault-migrate rollback" there.')
  }
  const local = Object.entries(LOCAL).find(([name]) => options[name as keyof typeof LOCAL] !== undefined)
  if (local !== undefined || options.toPassphrase === false) {
    const name = local?.[1] ?? '--no-to-passphrase'
    throw new UsageError(`${name} is for a vault of this machine: a server has keys and routing of its own.`)
  }
}
