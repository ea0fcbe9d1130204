import { type AbortOptions, type Authorize, decodeEnvelope, type KeyId, VaultError, type VaultId } from '@vault/core'
import { moveSourceOf, owner, proofsOf, publishEvents, type SeatOptions, type Vault } from '@vault/embedded'
import {
  isEnded,
  listMoves,
  type MigrationErrorCode,
  type MoveEvent,
  type MoveParts,
  type MoveState,
  movedKeys,
  movedTo,
  moveVault,
  parseAcceptance,
  planMigration,
  resumeMove,
  toldEvent,
} from '@vault/migration'
import { type HttpOptions, httpTarget, type MoveRequest } from '@vault/migration/http'
import type { Asked } from './answers.ts'
import { MoveStop } from './move-stop.ts'
import { refusal } from './refusal.ts'
import type { Teller } from './teller.ts'

/** A place to which vaults may move from a server, because its operator has named it. */
export interface MoveDestination {
  /** `https://HOST:PORT`. */
  readonly url: string
  readonly key: KeyId
}

interface Parts {
  readonly destinations: readonly MoveDestination[]
  readonly seat: SeatOptions
  /** As whom the other place knows this one, and how much goes to it. */
  readonly reach: Pick<HttpOptions, 'place' | 'bytesPerSecond'>
  readonly use: <Result>(vault: VaultId, by: KeyId, run: (vault: Vault) => Promise<Result>) => Promise<Result>
}

/** One that is under way. */
interface Moving {
  readonly stop: (reason: Error) => void
  readonly ended: Promise<void>
}

/** The move that a client has asked for again: the later one goes on with it. */
const ASKED_AGAIN = 'The move was asked for again, and goes on there.'

/** Moves vaults of a served place to other servers, for clients who may ask for it. The move is the one that `moveVault` makes; this only starts, tells and stops it. */
export class MovesAway {
  readonly #parts: Parts
  readonly #moving = new Map<VaultId, Moving>()

  constructor(parts: Parts) {
    this.#parts = { ...parts, destinations: parts.destinations.map(normal) }
  }

  /**
   * Moves the vault, or goes on with its move, and tells how. Where the client goes, it stops behind its next batch; from the signature on
   * it goes on without one, because the vault is active nowhere until it has ended.
   */
  async run(asked: Asked, request: MoveRequest, teller: Teller): Promise<void> {
    await requireLeave(asked)
    const to = this.#destination(asked, request)
    const { vault } = asked
    const stopping = new MoveStop(asked.options.signal)
    const done = Promise.withResolvers<void>()
    const { signal: gone } = asked.whileThere()
    const leave = () => stopping.stop(gone?.reason)
    if (gone?.aborted) leave()
    gone?.addEventListener('abort', leave, { once: true })
    const before = this.#moving.get(vault)
    this.#moving.set(vault, { stop: (reason) => stopping.stop(reason), ended: done.promise })
    try {
      before?.stop(new Error(ASKED_AGAIN))
      await before?.ended
      const tell = (event: MoveEvent) => {
        if (event.type === 'step') stopping.pass(event.step.effect === 'sign' || PASSED.has(event.phase))
        teller.tell(toldEvent(event))
      }
      const options = { signal: stopping.signal }
      await this.#parts.use(vault, asked.key, async (opened) => {
        stopping.pass((await opened.soup.tenure(options)).state === 'retired')
        await this.#move(opened, { authorize: leaveOf(asked), request, to, tell, options })
      })
    } finally {
      gone?.removeEventListener('abort', leave)
      done.resolve()
      if (this.#moving.get(vault)?.ended === done.promise) this.#moving.delete(vault)
    }
  }

  /**
   * Ends a move that was left behind its signature, which needs nobody's leave: the vault is active nowhere until then. Does nothing where
   * it goes to a place that the operator has not named, and where somebody goes on with it.
   */
  async end({ vault, migration, acceptance }: MoveState, options: AbortOptions): Promise<void> {
    const { destinations, reach, use } = this.#parts
    const to = destinations.find(({ key }) => key === takerOf(acceptance))
    if (to === undefined || this.#moving.has(vault)) return
    const stopping = new AbortController()
    const done = Promise.withResolvers<void>()
    this.#moving.set(vault, { stop: (reason) => stopping.abort(reason), ended: done.promise })
    const signal = AbortSignal.any([stopping.signal, ...(options.signal ? [options.signal] : [])])
    try {
      await use(vault, reach.place.key, async (opened) => {
        const tenure = await opened.soup.tenure({ signal })
        if (tenure.state !== 'retired' || tenure.migration !== migration) return
        await this.#move(opened, { authorize: owner, request: ENDING, to, tell: () => {}, options: { signal } })
      })
    } finally {
      done.resolve()
      if (this.#moving.get(vault)?.ended === done.promise) this.#moving.delete(vault)
    }
  }

  /** Throws `HTTP_NOT_ALLOWED` where the operator has not named it: nobody else says to whom this server connects. */
  #destination({ key, vault }: Asked, { to }: MoveRequest): MoveDestination {
    const { url } = normal(to)
    const named = this.#parts.destinations.find((each) => each.url === url && each.key === to.key)
    if (named !== undefined) return named
    throw refusal('HTTP_NOT_ALLOWED', `From this server vaults move only to those that its operator has named.`, {
      key,
      action: 'move-away',
      vault,
      to: url,
    })
  }

  async #move(
    vault: Vault,
    {
      authorize,
      request,
      to,
      tell,
      options,
    }: {
      readonly authorize: Authorize
      readonly request: Omit<MoveRequest, 'to'>
      readonly to: MoveDestination
      readonly tell: (event: MoveEvent) => void
      readonly options: AbortOptions
    },
  ): Promise<void> {
    options.signal?.throwIfAborted()
    const { records } = vault.place.soups
    const moves = (await listMoves(records, options)).filter((move) => move.vault === vault.id)
    const open = moves.find(({ phase }) => !isEnded(phase))
    const ended = open === undefined ? await endedMove(vault, moves, to, options) : undefined
    if (ended !== undefined) return tell({ type: 'moved', state: ended })
    const { seat, reach } = this.#parts
    const source = await moveSourceOf(vault, { ...seat, actor: await vault.actorFor('migrate', options) })
    await using target = await httpTarget(to.url, {
      vault: vault.id,
      peerKey: to.key,
      proofs: await proofsOf(vault, 'write', options),
      ...reach,
      ...slower(reach.bytesPerSecond, request.bytesPerSecond),
      ...options,
    })
    const parts: MoveParts = {
      source,
      target,
      authorize,
      address: to.url,
      allowBroken: request.allowBroken,
      reread: request.reread,
      ...(request.live && { live: request.live }),
    }
    // A passphrase that this server has not, or a wrong one, is said before the target has keys.
    if (open === undefined || open.next === 'accept') await source.unlock(options)
    const { migration, events } = await begin(open, parts, options)
    for await (const event of publishEvents(migration, events)) {
      if (event.type === 'moved' && event.state.phase !== 'complete') throw rolledBack(event.state)
      tell(event)
    }
  }
}

/** How a move is ended that nobody asks for: nothing of it is copied any more. */
const ENDING: Omit<MoveRequest, 'to'> = { live: null, reread: false, allowBroken: [], bytesPerSecond: null }

const PASSED: ReadonlySet<MoveState['phase']> = new Set(['handoff-signed', 'activated'])

async function begin(
  open: MoveState | undefined,
  parts: MoveParts,
  options: AbortOptions,
): Promise<{ readonly migration: string; readonly events: AsyncIterable<MoveEvent> }> {
  if (open !== undefined) {
    const { migration } = open
    return { migration, events: resumeMove(migration, parts, options) }
  }
  const keys = await movedKeys(parts.source, options)
  const plan = await planMigration(parts as Parameters<typeof planMigration>[0], { handoff: { keys }, ...options })
  return { migration: plan.migration_id, events: moveVault(plan, parts, options) }
}

/** The move that has ended where it was to go: its answer was lost. Throws where the vault went elsewhere. */
async function endedMove(
  { id, place, soup }: Vault,
  moves: readonly MoveState[],
  to: MoveDestination,
  options: AbortOptions,
): Promise<MoveState | undefined> {
  const tenure = await soup.tenure(options)
  const moved = await movedTo(place.soups.records, tenure, options)
  if (moved === undefined) return undefined
  const latest = moves.find(({ migration }) => migration === moved.migration)
  if (latest !== undefined && takerOf(latest.acceptance) === to.key) return latest
  const { migration, label, address } = moved
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_SOURCE_REFUSED',
    message: `The vault ${id} was handed off from here, and is active in ${address ?? label}: ask there.`,
    details: { vault: id, state: tenure.state, migration, place: label, ...(address !== undefined && { address }) },
  })
}

/** The key of the place that has accepted to take the vault. */
function takerOf(acceptance: MoveState['acceptance']): KeyId | undefined {
  return acceptance === null ? undefined : parseAcceptance(decodeEnvelope(acceptance).payload).place
}

/** Whoever asked may still ask: with each step and each batch. Whether the other place takes the vault is for that to say. */
function leaveOf(asked: Asked): Authorize {
  return async ({ action, object }) => {
    if (action === 'migrate') await requireLeave(asked)
    return { action, object, proven: true }
  }
}

async function requireLeave(asked: Asked): Promise<void> {
  await asked.require('migrate')
  await asked.require('move-away')
}

function slower(own: number | undefined, asked: number | null): Pick<HttpOptions, 'bytesPerSecond'> {
  const rates = [own, asked].filter((rate) => rate != null)
  return rates.length === 0 ? {} : { bytesPerSecond: Math.min(...rates) }
}

/** Addresses that mean one server are one. Throws `HTTP_REQUEST_INVALID`. */
function normal({ url, key }: MoveDestination): MoveDestination {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol === 'https:' && parsed.pathname === '/') return { url: parsed.origin, key }
  throw refusal('HTTP_REQUEST_INVALID', 'A vault moves to an address https://HOST:PORT.')
}

function rolledBack({ migration, phase }: MoveState): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_STATE',
    message: `The migration ${migration} was being taken back, and is ${phase} now. Ask again for a new one.`,
    details: { migration, phase },
  })
}
