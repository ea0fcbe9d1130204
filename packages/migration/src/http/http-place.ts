import type { AbortOptions, ContentId } from '@vault/core'
import type { Frame } from '@vault/transfer/frame'
import { frameParts } from '@vault/transfer/frame'
import type { LiveRecord } from '../move/live/live-record.ts'
import type { MoveStatus } from '../move/move-status.ts'
import { decodePlan } from '../parse-plan.ts'
import type { Plan } from '../plan.ts'
import type { Field } from '../records/field.ts'
import type { PausedMove } from './calls.ts'
import { HttpClient } from './http-client.ts'
import type { HttpOptions } from './http-options.ts'
import type { DistantEvent, MoveRequest, MoveSaying, TakeBackRequest } from './move-field.ts'
import { moveSaying, takeBackSaying } from './move-field.ts'
import type { VaultStanding } from './standing.ts'
import { standings, VAULTS_PATH } from './standing.ts'
import { answerInvalid } from './wire-error.ts'

/** A place that is reached over HTTPS, as one that is asked what lies there, and to move it. It must be closed. */
export interface HttpPlace extends AsyncDisposable {
  /**
   * The vaults there that this end may ask about: by the lists of the place, by what it holds itself, and by proofs only where it was asked
   * about the vault before. No proofs are shown here, as each is about one vault.
   */
  vaults(options?: AbortOptions): Promise<readonly VaultStanding[]>
  /** The moves of a vault that left from there, the latest first. */
  moves(vault: ContentId, options?: AbortOptions): Promise<readonly MoveStatus[]>
  /** Lets a move that runs there stop behind its next batch. Default: the one that has not ended. */
  pauseMove(vault: ContentId, migration?: string, options?: AbortOptions): Promise<PausedMove>
  /** What moving a vault to another place would do: the place looks at that one, and changes nothing. Throws what a move is refused with before its first byte. */
  planMove(vault: ContentId, to: MoveRequest['to'], options?: AbortOptions & Pick<MoveRequest, 'reason'>): Promise<Plan>
  /** How a live move caught up that left from there; `undefined` for one that was not live. */
  liveMove(vault: ContentId, migration: string, options?: AbortOptions): Promise<LiveRecord | undefined>
  /**
   * Has the place move a vault to another one, or go on with that: the data goes from there to the other place, and what happens is told
   * here. Leaving the loop stops the move behind its next batch, unless the vault is passing over; asked again, it goes on, and says how it
   * ended where it has. A connection that is cut is opened again, within the patience.
   */
  move(vault: ContentId, request: MoveRequest, options?: AbortOptions): AsyncGenerator<DistantEvent>
  /**
   * Has the place take a move back that left from there, and tells how: its vault is active there again. Once begun it goes on without
   * whoever has asked; asked again, it says how it ended. Throws, as `rollBackMove` does, what cannot be taken back any more.
   */
  takeBack(vault: ContentId, request: TakeBackRequest, options?: AbortOptions): AsyncGenerator<DistantEvent>
}

/** The place behind an address. Throws a `TypeError` for what is no address of a server. */
export function httpPlace(url: string, options: HttpOptions): HttpPlace {
  const client = new HttpClient(url, options)
  const asking = (vault: ContentId) => client.asking(vault, 'source')

  /** Has something done with a vault that is told as it goes on. */
  async function* told(
    vault: ContentId,
    { verb, request, saying }: { readonly verb: string; readonly request: unknown; readonly saying: Field<MoveSaying> },
    abort: AbortOptions = {},
  ): AsyncGenerator<DistantEvent> {
    const path = `/vaults/${vault}/source/${verb}`
    const question = await frameParts(request)
    let said: AsyncGenerator<Frame> | undefined
    const next = async (): Promise<Frame> => {
      said ??= client.frames(path, question, abort)
      try {
        const { value } = await said.next()
        if (value === undefined) throw answerInvalid(path, 'it ends before the move does')
        return value
      } catch (error) {
        said = undefined
        throw error
      }
    }
    try {
      while (true) {
        const { value } = await client.patiently(abort, next, path)
        const event = client.parsed(path, value, (each) => saying(each, 'event'))
        if (event.type === 'working') continue
        // What its caller does with the state, as leading clients to the new place, is of the vault that was asked for.
        if (event.type === 'moved' && event.state.vault !== vault) throw answerInvalid(path, 'it is of another vault')
        yield event
        if (event.type === 'moved') return
      }
    } finally {
      await said?.return(undefined)
    }
  }

  return {
    vaults: (abort) => client.exchange(VAULTS_PATH, { value: null }, abort, (answer) => standings(answer, 'vaults')),
    moves: (vault, abort) => asking(vault)('moves', null, abort),
    pauseMove: (vault, migration, abort) => asking(vault)('pause-move', { migration: migration ?? null }, abort),
    async planMove(vault, to, { reason, ...abort } = {}) {
      const request = { to, ...(reason !== undefined && { reason }) }
      return decodePlan(await asking(vault)('plan-move', request, abort))
    },
    liveMove: async (vault, migration, abort) => (await asking(vault)('live-move', { migration }, abort)) ?? undefined,
    move: (vault, request, abort) => told(vault, { verb: 'move', request, saying: moveSaying }, abort),
    takeBack: (vault, request, abort) => told(vault, { verb: 'take-back', request, saying: takeBackSaying }, abort),
    async [Symbol.asyncDispose]() {
      client.close()
    },
  }
}
