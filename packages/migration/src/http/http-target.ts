import type { LogReader } from '@vault/audit-chain'
import type { AbortOptions, ContentId } from '@vault/core'
import { encodeFrame } from '@vault/transfer/frame'
import type { AbandonableTarget, Held, RehashingTarget, TrailTarget } from '../endpoint.ts'
import type { JudgingTarget, ProvingTarget } from '../move/move-endpoint.ts'
import type { Ask } from './calls.ts'
import { HttpClient } from './http-client.ts'
import type { HttpOptions } from './http-options.ts'
import { remoteContent, remoteReceiving } from './remote-receiving.ts'
import { isWorking, trailQuestion } from './stream-field.ts'
import { asBytes } from './wire-field.ts'

/** A place that is reached over HTTPS, as the target of copies and of moves. It must be closed. */
export interface HttpTarget
  extends AbandonableTarget,
    RehashingTarget,
    Omit<ProvingTarget, 'receiveTrail'>,
    Pick<JudgingTarget, 'requireLeave'>,
    AsyncDisposable {
  /** Both kinds of targets take a trail, and each names it in its own way. */
  readonly receiveTrail: TrailTarget['receiveTrail'] & ProvingTarget['receiveTrail']
}

/**
 * The place behind an address, for the migration of this vault. Asks at once who it is. Throws `HTTP_UNREACHABLE`, `HTTP_PEER_KEY`,
 * `HTTP_NOT_ALLOWED`, and a `TypeError` for what is no address of a server.
 */
export async function httpTarget(
  url: string,
  { vault, ...options }: HttpOptions & AbortOptions & { readonly vault: ContentId },
): Promise<HttpTarget> {
  const client = new HttpClient(url, options)
  const asking = (id: ContentId): Ask => client.asking(id, 'target')
  const { instance } = await asking(vault)('place', null, options).catch((error: unknown) => {
    client.close()
    throw error
  })

  async function sendTrail(
    id: ContentId,
    call: 'move-trail' | 'copy-trail',
    { from, value }: { readonly from: LogReader; readonly value: unknown },
    abort?: AbortOptions,
  ): Promise<void> {
    const path = `/vaults/${id}/target/${call}`
    const first = await encodeFrame(value)
    const answer = async (question: unknown) => {
      const asked = client.parsed(path, question, (value) => trailQuestion(value, 'question'))
      if (isWorking(asked)) return 'wait'
      return asked.need === null ? 'end' : await encodeFrame((await from.read(asked.need, abort)) ?? null)
    }
    await client.patiently(abort, () => client.converse(path, first, answer, abort), path)
  }

  async function look(id: ContentId, abort?: AbortOptions): Promise<Held> {
    return { tenure: await asking(id)('look', null, abort), ...remoteContent(client, id) }
  }

  async function receiveTrail(
    request: Parameters<TrailTarget['receiveTrail']>[0] | Parameters<ProvingTarget['receiveTrail']>[0],
    abort?: AbortOptions,
  ): Promise<void> {
    if ('trail' in request) {
      const { vault: id, keyEvents, trail } = request
      return await sendTrail(id, 'copy-trail', { from: trail.log, value: { keyEvents, note: trail.note } }, abort)
    }
    const { vault: id, migration, from, note, size } = request
    await sendTrail(id, 'move-trail', { from, value: { migration, note, size } }, abort)
  }

  return {
    // What it calls itself, as by the name of its folder, says nothing here.
    label: client.name,
    instance,
    key: options.peerKey,
    look,
    receiveTrail,

    async receive({ vault: id, keyEvents, migration }, abort) {
      const offer = { keyEvents: keyEvents.map(asBytes), migration }
      const open = (options?: AbortOptions) => asking(id)('receive', offer, options)
      return await remoteReceiving(client, id, { migration, open }, abort)
    },
    async abandon(id, migration, abort) {
      await asking(id)('abandon', { migration }, abort)
    },

    accept: ({ vault: id, ...offer }, abort) => asking(id)('accept', offer, abort),
    endorse: ({ vault: id, migration, keyEvent }, abort) =>
      asking(id)('endorse', { migration, keyEvent: asBytes(keyEvent) }, abort),
    async open({ vault: id, migration, driver }, abort) {
      const open = (options?: AbortOptions) => asking(id)('open', { migration, driver }, options)
      // A move is prepared and activated, not finished.
      const { finish: _, ...receiving } = await remoteReceiving(client, id, { migration, open }, abort)
      return receiving
    },
    async requireLeave(id, abort) {
      // Who may only end a move is told nothing of it.
      await asking(id)('tenure', null, abort)
    },
    batches: ({ vault: id, ...range }, abort) => asking(id)('batches', range, abort),
    prove: ({ vault: id, nonce, ...what }, abort) => asking(id)('prove', { ...what, nonce: asBytes(nonce) }, abort),
    rehash: async ({ vault: id, nonce, ...what }, abort) =>
      (await asking(id)('rehash', { ...what, nonce: asBytes(nonce) }, abort)) ?? undefined,
    prepare: ({ vault: id, keyEvent, ...what }, abort) =>
      asking(id)('prepare', { ...what, keyEvent: asBytes(keyEvent) }, abort),
    activate: ({ handoff, keyEvent }, abort) =>
      asking(vault)('activate', { handoff: asBytes(handoff), keyEvent: asBytes(keyEvent) }, abort),
    decline: ({ vault: id, migration }, abort) => asking(id)('decline', { migration }, abort),
    conclude: (state, abort) => asking(state.vault)('conclude', state, abort),

    async [Symbol.asyncDispose]() {
      client.close()
    },
  }
}
