import type { BatchAck, ContentStore } from '@vault/cas'
import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { contentId, createSigner, decodeEnvelope, encode, encodeEnvelope, link, utf8 } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import type { MoveTarget, ProvingTarget } from '../../src/move/move-endpoint.ts'
import { seatTarget } from '../../src/move/seat-target.ts'
import type { MoveParts } from '../../src/move/work.ts'
import { parseAcceptance, signAcceptance } from '../../src/records/acceptance.ts'
import type { Possession } from '../../src/records/possession.ts'
import { parsePossession, possessionProof, signPossession } from '../../src/records/possession.ts'
import type { Ready } from '../../src/records/ready.ts'
import { parseReady, signReady } from '../../src/records/ready.ts'
import { activeAt, expectSound, move, partsOf, resume, rollBack, unfinished } from './moving.ts'
import type { Scene } from './processes.ts'
import { codeOf, expectCertified, moveWith, rootsAt, scene, withObjects } from './processes.ts'
import { memoryPlace, put } from './seats.ts'

const STRANGER = createSigner(new Uint8Array(32).fill(9))

/** A store that acknowledges these objects and keeps nothing of them. */
function dropping(store: ContentStore, drops: (id: ContentId) => boolean): ContentStore {
  return {
    ...store,
    async *putMany(batches, options?: AbortOptions): AsyncGenerator<BatchAck> {
      for await (const batch of batches) {
        const kept = batch.filter(({ id }) => !drops(id))
        for await (const ack of store.putMany([kept], options)) yield { ...ack, ids: batch.map(({ id }) => id) }
      }
    },
  }
}

/** A store that gives other bytes for one object, as long as it lies. */
function spoiling(store: ContentStore, id: ContentId, lies: () => boolean): ContentStore {
  return {
    ...store,
    async *getMany(batches, options) {
      for await (const piece of store.getMany(batches, options)) {
        const blocks = piece.blocks.map((block) =>
          block.id === id && lies() ? { ...block, bytes: utf8('other bytes') } : block,
        )
        yield { ...piece, blocks }
      }
    },
  }
}

function partsWith(places: Scene, lie: (target: ProvingTarget) => Partial<ProvingTarget>): MoveParts {
  const parts = partsOf(places.a, places.b, places.vault)
  const target = parts.target as ProvingTarget
  return { ...parts, target: { ...target, ...lie(target) } }
}

/** After a refusal nothing is lost, and the vault is as free as it was. */
async function expectFree({ a, b, vault }: Scene): Promise<void> {
  const roots = await rootsAt(a, vault)
  const state = await unfinished(a)
  if (state !== undefined) await rollBack(a, b, vault, state.migration)
  expect(await expectSound([a, b], vault, roots)).toBe(a)
  const c = memoryPlace('C', 3, a.seat.clock)
  expectCertified(await move(a, c, vault))
  expect(await expectSound([a, b, c], vault, roots)).toBe(c)
}

describe('a target that acknowledges and keeps nothing', () => {
  test('is found out by the first proof that it is asked for', async () => {
    const places = await scene()
    const { a, b, vault } = places
    const lying = withObjects(
      b,
      dropping(b.objects, () => true),
    )
    expect(await codeOf(move(a, lying, vault))).toBe('MIGRATION_TARGET_LIES')
    await expectFree(places)
  })

  test('is found out by reading back where it proves nothing; sent again to an honest one, the move ends', async () => {
    const places = await scene()
    const { a, b, vault } = places
    const one = rawBlock('content 1').id
    const { prove: _, ...target } = seatTarget(
      withObjects(
        b,
        dropping(b.objects, (id) => id === one),
      ).seat,
    )
    expect(await codeOf(moveWith({ ...partsOf(a, b, vault), target }))).toBe('MIGRATION_VERIFICATION_FAILED')
    const { migration = '', phase } = (await unfinished(a)) ?? {}
    expect(phase).toBe('failed')
    expect(await activeAt([a, b], vault)).toEqual([a])
    expectCertified(await resume(a, b, vault, migration))
    expect(await expectSound([a, b], vault, await rootsAt(a, vault))).toBe(b)
  })
})

type Forge = (possession: Possession, places: Scene) => Partial<Possession>

const claimOf = ({ migration, nonce }: Possession, { b }: Scene) => ({ place: b.seat.place.key, migration, nonce })

const FORGERIES: readonly (readonly [string, Forge])[] = [
  [
    'made of the id alone',
    (of, places) => ({ proof: possessionProof(claimOf(of, places), of.id.id, new Uint8Array()) }),
  ],
  [
    'made of the id as if it were the bytes',
    (of, places) => ({ proof: possessionProof(claimOf(of, places), of.id.id, utf8(of.id.id)) }),
  ],
  [
    'of another object',
    (of, places) => ({
      id: link(rawBlock('x').id),
      proof: possessionProof(claimOf(of, places), rawBlock('x').id, utf8('x')),
    }),
  ],
  [
    'over the bytes of another object',
    (of, places) => ({ proof: possessionProof(claimOf(of, places), of.id.id, utf8('x')) }),
  ],
  [
    'with an old nonce',
    (of, places) => {
      const nonce = new Uint8Array(32)
      const claim = { ...claimOf(of, places), nonce }
      return { nonce, proof: possessionProof(claim, of.id.id, rawBlock('content 0').bytes) }
    },
  ],
  [
    'that another place made of the same bytes',
    (of, places) => ({
      proof: possessionProof({ ...claimOf(of, places), place: STRANGER.key }, of.id.id, rawBlock('content 0').bytes),
    }),
  ],
  ['of another batch', ({ batch }) => ({ batch: batch + 1 })],
  ['of another migration', () => ({ migration: '0'.repeat(32) })],
]

describe('a proof of possession', () => {
  test.each(FORGERIES)('%s is none', async (_name, forge) => {
    const places = await scene(1)
    const parts = partsWith(places, ({ prove }) => ({
      async prove(request) {
        const possession = parsePossession(decodeEnvelope(await prove(request)).payload)
        const forged = { ...possession, ...forge(possession, places) }
        return encodeEnvelope(await signPossession(forged, places.b.seat.place))
      },
    }))
    expect(await codeOf(moveWith(parts))).toBe('MIGRATION_TARGET_LIES')
    expect(await activeAt([places.a, places.b], places.vault)).toEqual([places.a])
  })

  test('signed by somebody else is none', async () => {
    const places = await scene(1)
    const parts = partsWith(places, ({ prove }) => ({
      async prove(request) {
        const possession = parsePossession(decodeEnvelope(await prove(request)).payload)
        return encodeEnvelope(await signPossession(possession, STRANGER))
      },
    }))
    expect(await codeOf(moveWith(parts))).toBe('MIGRATION_TARGET_LIES')
    await expectFree(places)
  })
})

describe('a target that gives back other bytes', () => {
  // Objects that come with each of the three steps that send.
  test.each(['accept', 'catch-up', 'quiesce'])('of what was written before %s: it is not handed off', async (at) => {
    const places = await scene()
    const { a, b, vault } = places
    const block = rawBlock('precious')
    let lies = true
    const lying = withObjects(
      b,
      spoiling(b.objects, block.id, () => lies),
    )
    const run = moveWith(partsOf(a, lying, vault), async (step) => {
      if (step === at) await put(a, vault, [block], 'precious')
    })
    expect(await codeOf(run)).toBe('MIGRATION_VERIFICATION_FAILED')
    const { migration = '', phase } = (await unfinished(a)) ?? {}
    expect(phase).toBe('failed')
    // Nor when it is asked again, although nothing differs any more.
    expect(await codeOf(resume(a, lying, vault, migration))).toBe('MIGRATION_VERIFICATION_FAILED')
    lies = false
    const state = await resume(a, lying, vault, migration)
    expectCertified(state)
    expect(await expectSound([a, b], vault, await rootsAt(a, vault))).toBe(b)
  })

  test('of what was written before quiesce: it can be taken back', async () => {
    const places = await scene()
    const { a, b, vault } = places
    const block = rawBlock('precious')
    const lying = withObjects(
      b,
      spoiling(b.objects, block.id, () => true),
    )
    const run = moveWith(partsOf(a, lying, vault), async (step) => {
      if (step === 'quiesce') await put(a, vault, [block], 'precious')
    })
    expect(await codeOf(run)).toBe('MIGRATION_VERIFICATION_FAILED')
    await expectFree(places)
  })

  test('after it has read back right: the source, which gave the vault away, still has everything', async () => {
    const { a, b, vault } = await scene()
    const before = await rootsAt(a, vault)
    let lies = false
    const { id } = rawBlock('content 0')
    const lying = withObjects(
      b,
      spoiling(b.objects, id, () => lies),
    )
    const state = await moveWith(partsOf(a, lying, vault), async (step) => {
      if (step === 'prepare') lies = true
    })
    expect(state.phase).toBe('complete')
    expect(await rootsAt(a, vault)).toEqual(before)
    for (const member of await a.store.soup(vault).members({ limit: 100 }))
      expect(await a.objects.has(member.id)).toBe(true)
  })
})

type Sign = (ready: Ready, places: Scene) => Promise<Bytes>
const signedBy =
  (change: (ready: Ready) => Partial<Ready>, signer?: typeof STRANGER): Sign =>
  async (ready, { b }) =>
    encodeEnvelope(await signReady({ ...ready, ...change(ready) }, signer ?? b.seat.place))

const READIES: readonly (readonly [name: string, code: string, sign: Sign])[] = [
  [
    'for another object root',
    'MIGRATION_CHANGED',
    signedBy(({ statement }) => ({
      statement: { ...statement, roots: { ...statement.roots, objects: '0'.repeat(64) } },
    })),
  ],
  [
    'for another soup root',
    'MIGRATION_CHANGED',
    signedBy(({ statement }) => ({ statement: { ...statement, roots: { ...statement.roots, soup: '0'.repeat(64) } } })),
  ],
  [
    'with another number of changes',
    'MIGRATION_CHANGED',
    signedBy(({ statement }) => ({ statement: { ...statement, sequence: statement.sequence + 7 } })),
  ],
  ['for a shorter log', 'MIGRATION_CHANGED', signedBy(({ log }) => ({ log: { ...log, size: log.size - 1 } }))],
  ['for another log', 'MIGRATION_CHANGED', signedBy(({ log }) => ({ log: { ...log, root: '0'.repeat(64) } }))],
  ['with another nonce', 'MIGRATION_CHANGED', signedBy(() => ({ nonce: new Uint8Array(32) }))],
  ['of another place', 'MIGRATION_RECORD_FOREIGN', signedBy(() => ({ instance: '0'.repeat(32) }))],
  ['of another migration', 'MIGRATION_RECORD_FOREIGN', signedBy(() => ({ migration: '0'.repeat(32) }))],
  ['signed by another key', 'SIGNATURE_THRESHOLD', signedBy(() => ({}), STRANGER)],
]

describe('a target that is ready', () => {
  test.each(READIES)('%s gets nothing: %s', async (_name, code, sign) => {
    const places = await scene(1)
    const parts = partsWith(places, ({ prepare }) => ({
      prepare: async (request) => sign(parseReady(decodeEnvelope(await prepare(request)).payload), places),
    }))
    expect(await codeOf(moveWith(parts))).toBe(code)
    const { a, b, vault } = places
    expect((await a.store.tenures.read(vault)).state).toBe('active')
    const { migration = '' } = (await unfinished(a)) ?? {}
    await rollBack(a, b, vault, migration)
    expect(await expectSound([a, b], vault, await rootsAt(a, vault))).toBe(a)
  })
})

describe('a target that accepts', () => {
  test.each([
    ['for another migration', { migration: '0'.repeat(32) }],
    ['for another plan', { plan: link(contentId(utf8('plan'), { hash: 'sha2-256', codec: 'dag-cbor' })) }],
    ['as another place', { instance: '0'.repeat(32) }],
  ])('%s is not given anything', async (_name, change) => {
    const places = await scene(1)
    const parts = partsWith(places, ({ accept }) => ({
      async accept(offer) {
        const acceptance = parseAcceptance(decodeEnvelope(await accept(offer)).payload)
        return encodeEnvelope(await signAcceptance({ ...acceptance, ...change }, places.b.seat.place))
      },
    }))
    expect(await codeOf(moveWith(parts))).toBe('MIGRATION_RECORD_FOREIGN')
    expect((await places.b.store.soup(places.vault).tenure()).sequence).toBe(0)
    await expectFree(places)
  })

  test.each([
    ['bytes that are none', utf8('no key event')],
    ['null', encode(null)],
    ['a list', encode([1])],
    ['a map of nothing', encode({})],
    ['a time that is none', encode({ at: -1 })],
    ['a time beyond all dates', encode({ at: 9e15 })],
  ])('signs no key event that is %s', async (_name, keyEvent) => {
    const { a, b, vault } = await scene(1)
    let code: string | undefined
    const parts = partsOf(a, b, vault)
    await moveWith(parts, async (step, migration) => {
      if (step === 'endorse') code = await codeOf(parts.target.endorse({ vault, migration, keyEvent }))
    })
    expect(code).toMatch(/^MIGRATION_HANDOFF_REFUSED$|^CBOR_/)
  })
})

describe('two places with one identity', () => {
  test('a copy of the source is refused before anything is written', async () => {
    const { a, b, vault } = await scene(1)
    const copy = { ...b, seat: { ...b.seat, instance: a.seat.instance } }
    expect(await codeOf(move(a, copy, vault))).toBe('MIGRATION_TARGET_REFUSED')
    expect(await unfinished(a)).toBeUndefined()
    expect((await b.store.tenures.read(vault)).state).toBe('none')
  })

  test('a place with the key of the source is refused, and the move can be taken back', async () => {
    const places = await scene(1)
    const { a, b, vault } = places
    const copy = { ...b, seat: { ...b.seat, place: a.seat.place } }
    expect(await codeOf(move(a, copy, vault))).toBe('MIGRATION_TARGET_REFUSED')
    await expectFree(places)
  })

  test('a second target with the instance id of the first gets nothing of what was meant for that', async () => {
    const { a, b, vault } = await scene(1)
    const c = memoryPlace('C', 3, a.seat.clock)
    const impostor = { ...c, seat: { ...c.seat, instance: b.seat.instance } }
    const roots = await rootsAt(a, vault)
    const tried: (string | undefined)[] = []
    const state = await moveWith(partsOf(a, b, vault), async (step, migration) => {
      if (!['copy', 'copy-rest', 'prepare', 'activate'].includes(step)) return
      const target: MoveTarget = seatTarget(impostor.seat)
      const { handoff, keyEvent } = (await unfinished(a)) ?? {}
      tried.push(await codeOf(target.open({ vault, migration, driver: 1 })))
      if (handoff && keyEvent) tried.push(await codeOf(target.activate({ handoff, keyEvent })))
    })
    expect(tried).toEqual(Array(5).fill('MIGRATION_TARGET_REFUSED'))
    expectCertified(state)
    expect(await expectSound([a, b, c], vault, roots)).toBe(b)
  })
})
