import { type AbortOptions, type Authorize, isVaultError, type KeyId, VaultError, type VaultId } from '@vault/core'
import { type KeystoreErrorCode, owner, type Vault } from '@vault/embedded'
import {
  checkTakeBack,
  isEnded,
  type MigrationErrorCode,
  type MoveEvent,
  type MoveState,
  type Plan,
  requireMeant,
  requireMoved,
  toldEvent,
} from '@vault/migration'
import type { AbsenceEvent, MoveRequest, TakeBackRequest } from '@vault/migration/http'
import type { Asked } from './answers.ts'
import {
  type Departure,
  giveMoveUp,
  type Leading,
  meantMigration,
  moveAway,
  movesOf,
  planAway,
  takeMoveBack,
  takerOf,
} from './move-away.ts'
import { type MoveDestination, nameOf, normalDestination } from './move-destination.ts'
import { MoveStop } from './move-stop.ts'
import { refusal } from './refusal.ts'
import type { Teller } from './teller.ts'

interface Parts extends Departure {
  readonly destinations: readonly MoveDestination[]
  readonly use: <Result>(vault: VaultId, by: KeyId, run: (vault: Vault) => Promise<Result>) => Promise<Result>
}

/** One that is under way. */
interface Moving {
  readonly stop: (reason: Error) => void
  readonly ended: Promise<void>
}

/** What is done with a vault for a client. */
interface Led {
  /** It is not stopped when the client goes. */
  readonly endsAlone: boolean
  /** Whether this server connects to the other place: then its operator must have named that. */
  readonly connects: boolean
  /** Throws what is refused before anything that is under way with the vault is stopped. */
  readonly check?: (vault: Vault) => Promise<void>
  readonly run: (vault: Vault, leading: Leading) => Promise<void>
}

/** Stops what is done with a vault, because a client has asked for something else, or for the same again: that goes on with it. */
const ASKED_AGAIN = new Error('The move was asked for again, and goes on there.')

/** Moves vaults of a served place to other servers, and takes that back, for clients who may ask for it. The moves are those that `moveVault` makes; this only starts, tells and stops them. */
export class MovesAway {
  readonly #parts: Parts
  readonly #moving = new Map<VaultId, Moving>()

  constructor(parts: Parts) {
    this.#parts = { ...parts, destinations: parts.destinations.map(normalDestination) }
  }

  /**
   * Moves the vault, or goes on with its move, and tells how. Where the client goes, it stops behind its next batch; from the signature on
   * it goes on without one, because the vault is active nowhere until it has ended.
   */
  async run(asked: Asked, request: MoveRequest, teller: Teller): Promise<void> {
    await this.#lead(asked, request, teller, {
      endsAlone: false,
      connects: true,
      check: async (vault) => {
        const open = (await movesOf(vault, asked.options)).find(({ phase }) => !isEnded(phase))
        if (open !== undefined) requireMeant(open, request.to.key)
      },
      run: async (vault, leading) => {
        const tell: Leading['tell'] = (event) => {
          if (event.type === 'moved') requireMoved(event.state)
          leading.tell(event)
        }
        await moveAway(vault, request, { ...leading, tell }, this.#parts)
      },
    })
  }

  /** What moving the vault would do. Changes nothing. */
  async plan(asked: Asked, { to, ...why }: Pick<MoveRequest, 'to' | 'reason'>): Promise<Plan> {
    await requireLeave(asked)
    const { vault, key, whileThere } = asked
    const leading = { authorize: leaveOf(asked), to: this.named(asked, to), options: whileThere() }
    return await this.#parts.use(vault, key, (opened) => planAway(opened, why, leading, this.#parts))
  }

  /**
   * Takes the move of a vault back, and tells how. It goes on without the client, and behind the signature without anybody who asks: nobody
   * may be able to write until it has ended.
   */
  async takeBack(
    asked: Asked,
    { migration: named, withoutTarget = false, ...request }: TakeBackRequest,
    teller: Teller,
  ): Promise<void> {
    await requireLeave(asked)
    // What is not there stops nothing that is under way.
    const migration = await this.#parts.use(asked.vault, asked.key, (vault) =>
      meantMigration(vault, named, asked.options),
    )
    await this.#lead(asked, request, teller, {
      endsAlone: true,
      connects: !withoutTarget,
      check: async ({ place }) => {
        await checkTakeBack(migration, { records: place.soups.records, to: request.to.key }, asked.options)
      },
      run: (vault, leading) => {
        const take = withoutTarget ? giveMoveUp : takeMoveBack
        return take(vault, { ...request, migration }, leading, this.#parts)
      },
    })
  }

  /**
   * Ends a move that was left behind its signature, or takes it back where that was begun. That needs nobody's leave: the vault is active
   * nowhere until then. Does nothing where it goes to a place that the operator has not named, and leaves it to whoever asks for it meanwhile.
   */
  async end({ vault, migration, acceptance }: MoveState, options: AbortOptions): Promise<void> {
    const { destinations, reach, use } = this.#parts
    const to = destinations.find(({ key }) => key === takerOf(acceptance))
    if (to === undefined || this.#moving.has(vault)) return
    const stopping = new AbortController()
    const signal = AbortSignal.any([stopping.signal, ...(options.signal ? [options.signal] : [])])
    const ended = this.#begin(vault, (reason) => stopping.abort(reason))
    try {
      await use(vault, reach.place.key, async (opened) => {
        const tenure = await opened.soup.tenure({ signal })
        if (tenure.state !== 'retired' || tenure.migration !== migration) return
        const leading = { authorize: owner, to, tell: () => {}, options: { signal } }
        await moveAway(opened, ENDING, leading, this.#parts)
      })
    } catch (error) {
      if (error !== ASKED_AGAIN) throw error
    } finally {
      ended()
    }
  }

  /** Does something with a vault in the place of what is done with it, for a client that may ask for it. */
  async #lead(asked: Asked, { to }: Pick<MoveRequest, 'to'>, teller: Teller, led: Led): Promise<void> {
    await requireLeave(asked)
    const { vault, key } = asked
    const { endsAlone, connects, check, run } = led
    const destination = connects ? this.named(asked, to) : normalDestination(to)
    if (check !== undefined) await this.#parts.use(vault, key, check)
    const stopping = new MoveStop(asked.options.signal)
    const { signal: gone } = asked.whileThere()
    const leave = () => stopping.stop(gone?.reason)
    if (gone?.aborted) leave()
    gone?.addEventListener('abort', leave, { once: true })
    const passes = (isPassing: boolean) => stopping.pass(endsAlone || isPassing)
    const before = this.#moving.get(vault)
    const ended = this.#begin(vault, (reason) => stopping.stop(reason))
    try {
      before?.stop(ASKED_AGAIN)
      await before?.ended
      const tell = (event: MoveEvent | AbsenceEvent) => {
        if (event.type === 'away' || event.type === 'back') return teller.tell(event)
        if (event.type === 'step') passes(event.step.effect === 'sign' || PASSED.has(event.phase))
        teller.tell(toldEvent(event))
      }
      const options = { signal: stopping.signal }
      await this.#parts.use(vault, key, async (opened) => {
        passes((await opened.soup.tenure(options)).state === 'retired')
        await run(opened, { authorize: leaveOf(asked), to: destination, tell, options })
      })
    } catch (error) {
      if (isVaultError(error, 'KEY_PASSPHRASE')) throw sealed(error)
      throw error === ASKED_AGAIN ? superseded(vault) : error
    } finally {
      gone?.removeEventListener('abort', leave)
      ended()
    }
  }

  /** Says that something is under way with a vault, until what it gives is called. */
  #begin(vault: VaultId, stop: Moving['stop']): () => void {
    const done = Promise.withResolvers<void>()
    const moving = { stop, ended: done.promise }
    this.#moving.set(vault, moving)
    return () => {
      done.resolve()
      if (this.#moving.get(vault) === moving) this.#moving.delete(vault)
    }
  }

  /** A place that vaults may move to. Throws `HTTP_NOT_ALLOWED` where the operator has not named it: nobody else says to whom this server connects. */
  named({ key, vault }: Pick<Asked, 'key' | 'vault'>, to: MoveDestination): MoveDestination {
    const { url } = normalDestination(to)
    const named = this.#parts.destinations.find((each) => each.url === url && each.key === to.key)
    if (named !== undefined) return named
    const option = url === undefined ? `: name its key, --move-to ${to.key}` : ''
    throw refusal(
      'HTTP_NOT_ALLOWED',
      `From this server vaults move only to those that its operator has named${option}.`,
      {
        key,
        action: 'move-away',
        vault,
        to: nameOf(to),
      },
    )
  }
}

/** How a move is ended that nobody asks for: nothing of it is copied any more. */
const ENDING: Omit<MoveRequest, 'to'> = { live: null, reread: false, allowBroken: [], bytesPerSecond: null }

const PASSED: ReadonlySet<MoveState['phase']> = new Set(['handoff-signed', 'activated'])

/** Whoever asked may still ask: with each step and each batch. Whether the other place takes the vault is for that to say. */
function leaveOf(asked: Asked): Authorize {
  return async ({ action, object }) => {
    if (action === 'migrate') await requireLeave(asked)
    return { action, object, proven: true }
  }
}

function superseded(vault: VaultId): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_SUPERSEDED',
    message: `The move of the vault ${vault} was asked for again, or was taken back, and goes on there. What this one did stays.`,
    details: { vault },
  })
}

/** Whoever asks has no terminal here: the operator of the server opens its keys. */
function sealed(cause: VaultError): VaultError<KeystoreErrorCode> {
  const { file } = cause.details
  return new VaultError({
    code: 'KEY_PASSPHRASE',
    message: `The key file ${file} of this server is under a passphrase that it was not started with. Let its operator start it with "vaultctl serve --passphrase-file FILE".`,
    details: { file },
    cause,
  })
}

async function requireLeave(asked: Asked): Promise<void> {
  await asked.require('migrate')
  await asked.require('move-away')
}
