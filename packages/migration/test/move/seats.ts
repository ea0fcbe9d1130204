import type { LogStore, MemoryLog } from '@vault/audit-chain'
import { createMemoryLog, drainQueue, openTrail, originOf } from '@vault/audit-chain'
import type { Block, ContentStore } from '@vault/cas'
import { createMemoryCas, linksOf } from '@vault/cas'
import type { ContentId, KeyId, Signer } from '@vault/core'
import { createInception, createSigner, encodeEnvelope, generateSecretKey, verifyInception } from '@vault/core'
import type { Entry, SoupStore } from '@vault/soup'
import { createMemorySoupStore } from '@vault/soup'
import { keyStateAt } from '../../src/move/key-state.ts'
import { logKeys } from '../../src/move/log-keys.ts'
import type { Seat } from '../../src/move/seat.ts'

/** A place in memory that outlives the processes that work there. */
export interface MemoryPlace {
  readonly label: string
  readonly objects: ContentStore
  readonly store: SoupStore
  readonly logs: Map<ContentId, MemoryLog>
  readonly seat: Seat
}

/** Time that only goes on when it is asked. */
export function testClock(): () => Date {
  let now = Date.UTC(2026, 0, 1)
  return () => {
    now += 1_000
    return new Date(now)
  }
}

/** Bytes that look random and are the same in every run. */
function seededRandom(seed: number): (length: number) => Uint8Array {
  let state = seed
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state >>> 24
    })
}

export function memoryPlace(label: string, seed: number, clock = testClock()): MemoryPlace {
  const random = seededRandom(seed)
  const objects = createMemoryCas()
  const store = createMemorySoupStore()
  const logs = new Map<ContentId, MemoryLog>()
  const secrets = new Map<KeyId, Signer>()
  const make = (): Signer => {
    const signer = createSigner(generateSecretKey(random))
    secrets.set(signer.key, signer)
    return signer
  }
  const log = async (vault: ContentId): Promise<LogStore> => {
    const found = logs.get(vault) ?? createMemoryLog()
    logs.set(vault, found)
    return found
  }
  const seat: Seat = {
    label,
    instance: Buffer.from(random(16)).toString('hex'),
    place: createSigner(generateSecretKey(random)),
    objects,
    store,
    keys: {
      signers: async (_role, { keys }) => keys.flatMap((key) => secrets.get(key) ?? []),
      create: async <Role extends string>(roles: readonly Role[]) =>
        Object.fromEntries(roles.map((role) => [role, make().key])) as Record<Role, KeyId>,
    },
    actor: { name: 'owner', proven: false },
    clock,
    random,
    log,
  }
  return { label, objects, store, logs, seat }
}

/** Founds a vault at a place, as `init` does. */
export async function found({ seat, store }: MemoryPlace): Promise<ContentId> {
  const made = await seat.keys.create(['identity', 'operators', 'log'])
  const role = (key: KeyId) => ({ keys: [key], threshold: 1 })
  const roles = { identity: role(made.identity), operators: role(made.operators), log: role(made.log) }
  const signers = (
    await Promise.all((['identity', 'operators', 'log'] as const).map((name) => seat.keys.signers(name, roles[name])))
  ).flat()
  const envelope = await createInception({ roles, nonce: seat.random(16), at: seat.clock() }, signers)
  const { vault } = verifyInception(envelope)
  const to = { state: 'active', epoch: 0, keyEvents: [encodeEnvelope(envelope)] } as const
  await store.tenures.transition(vault, { state: 'none', epoch: 0 }, to)
  return vault
}

/** Puts blocks under names, in one change. */
export async function put(
  place: MemoryPlace,
  vault: ContentId,
  blocks: readonly Block[],
  folder = 'file',
): Promise<void> {
  for await (const _ of place.objects.putMany([blocks]));
  const add = blocks.map((block) => ({ id: block.id, size: block.bytes.length, links: linksOf(block) }))
  const entries = blocks.map(
    ({ id }, i): Entry => ({ key: `path:${folder}-${i}`, type: 'path', object: id, fields: {} }),
  )
  const soup = place.store.soup(vault)
  const { epoch } = await soup.tenure()
  await soup.commit({ epoch, objects: { add }, entries: { put: entries } })
}

/** The whole trail of a vault at a place, with everything in it that was committed. */
export async function trailAt(place: MemoryPlace, vault: ContentId) {
  const state = await keyStateAt(place.seat, vault)
  const [signer] = await place.seat.keys.signers('log', state.roles.log)
  const parts = {
    origin: originOf(vault),
    store: await place.seat.log(vault),
    keys: logKeys(state),
    clock: place.seat.clock,
  }
  const trail = await openTrail({ ...parts, ...(signer && { signer }) })
  await drainQueue(place.store.soup(vault), trail)
  return trail
}
