import type { KeyId, VaultId } from '@vault/core'
import type { HttpPlace, MoveRequest } from '@vault/migration/http'
import { comingFolder, type ServerVerb } from './coming-folder.ts'
import { endsOf, type MoveOptions } from './move-options.ts'
import type { Run } from './program.ts'
import { isRemote } from './remote-end.ts'
import { twoServers } from './two-servers.ts'

/** The server that a vault lies at, which moves it, and where it goes to. */
export interface MovingServer extends AsyncDisposable {
  readonly place: HttpPlace
  readonly vault: VaultId
  readonly from: string
  readonly fromKey: KeyId
  readonly to: MoveRequest['to']
  /** The same as its user calls it. */
  readonly toName: string
  /** Aborted when the user stops it, or with what keeps the place that it goes to from being reached. */
  readonly signal: AbortSignal
  /** The vault passes over, or comes back: where it cannot do that without this program, the user does not stop it any more. */
  passes(): void
}

/** A server, and another one that it moves a vault to, or a folder of this machine, which comes for it. Throws a `UsageError`. */
export async function movingServer(run: Run, options: MoveOptions, verb: ServerVerb): Promise<MovingServer> {
  if (isRemote(endsOf(options).to)) return await twoServers(options, run.signal)
  return await comingFolder(run, options, verb)
}
