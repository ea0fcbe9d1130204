import type { KeyEventDraft, Signer } from '@vault/core'
import {
  createKeyEvent,
  createSigner,
  decodeEnvelope,
  encodeEnvelope,
  mergeEnvelopes,
  nextKeyDigest,
  signEnvelope,
} from '@vault/core'
import { describe, expect, test } from 'vitest'
import { adoptKeyEvent } from '../../src/keys/adopt-key-event.ts'
import { keyStateAt } from '../../src/move/key-state.ts'
import type { MoveSource } from '../../src/move/move-endpoint.ts'
import { moveVault } from '../../src/move/move-vault.ts'
import { movedKeys } from '../../src/move/moved-keys.ts'
import { seatSource } from '../../src/move/seat-source.ts'
import { planMigration } from '../../src/plan-migration.ts'
import { activeAt, ended, expectSound, partsOf, rollBack, unfinished } from './moving.ts'
import { codeOf, expectCertified, moveWith, rootsAt, scene } from './processes.ts'

const [heir, witness] = [11, 12].map((n) => createSigner(new Uint8Array(32).fill(n))) as [Signer, Signer]
const next = { digests: [nextKeyDigest(heir.key)], threshold: 1 }
const witnesses = { keys: [witness.key], threshold: 1 }

/** The vault of the scene after one more key event. */
async function vaultWith(draft: Partial<KeyEventDraft>, ...signers: readonly Signer[]) {
  const places = await scene()
  const { a, vault } = places
  const history = await keyStateAt(a.seat, vault)
  const identity = await a.seat.keys.signers('identity', history.roles.identity)
  const said = { history, why: 'rotate', roles: history.roles, at: a.seat.clock(), ...draft } as const
  await adoptKeyEvent(a.seat, { vault, keyEvent: await createKeyEvent(said, [...identity, ...signers]) })
  return places
}

describe('a vault that has committed to the identity that follows', () => {
  test('is not moved to another one, and nothing is begun', async () => {
    const { a, b, vault } = await vaultWith({ next })
    const parts = partsOf(a, b, vault)
    expect(await codeOf(planMigration(parts, { handoff: { keys: 'new' } }))).toBe('MIGRATION_SOURCE_REFUSED')
    const kept = await planMigration(parts, { handoff: { keys: 'keep' } })
    const plan = { ...kept, handoff: { keys: 'new' } } as const
    expect(await codeOf(ended(moveVault(plan, parts)))).toBe('MIGRATION_SOURCE_REFUSED')
    expect(await unfinished(a)).toBeUndefined()
    expect((await b.store.tenures.read(vault)).state).toBe('none')
  })

  test('is moved with the one that it has, and the commitment with it', async () => {
    const { a, b, vault } = await vaultWith({ next })
    const before = await rootsAt(a, vault)
    const parts = partsOf(a, b, vault)
    expectCertified(await ended(moveVault(await planMigration(parts, { handoff: { keys: 'keep' } }), parts)))
    expect(await expectSound([a, b], vault, before)).toBe(b)
    expect((await keyStateAt(b.seat, vault)).next).toEqual(next)
  })
})

describe('a vault with one identity key and several operators', () => {
  const council = { keys: [heir.key, witness.key].toSorted(), threshold: 2 }

  async function vaultOfCouncil() {
    const { a, vault } = await scene()
    const { roles } = await keyStateAt(a.seat, vault)
    return await vaultWith({ roles: { ...roles, operators: council } }, heir, witness)
  }

  test('gets a new identity where it goes, and no key that is none of it', async () => {
    const { a, b, vault } = await vaultOfCouncil()
    const before = await rootsAt(a, vault)
    const { roles } = await keyStateAt(a.seat, vault)
    const handoff = await movedKeys(seatSource(a.seat, vault), { held: roles.identity.keys })
    expect(handoff).toEqual({ keys: 'new-identity' })
    const made: string[] = []
    const create = async <Role extends 'identity' | 'operators' | 'log'>(wanted: readonly Role[]) => {
      made.push(...wanted)
      return await b.seat.keys.create(wanted)
    }
    const target = { ...b, seat: { ...b.seat, keys: { ...b.seat.keys, create } } }
    const parts = partsOf(a, target, vault)
    expectCertified(await ended(moveVault(await planMigration(parts, { handoff }), parts)))
    expect(made).toEqual(['identity', 'log'])
    expect(await expectSound([a, b], vault, before)).toBe(b)
    const moved = (await keyStateAt(b.seat, vault)).roles
    expect(moved.operators).toEqual(council)
    expect(moved.identity.keys).not.toEqual(roles.identity.keys)
    expect(await b.seat.keys.signers('identity', moved.identity)).toHaveLength(1)
  })

  test('keeps an identity that lies elsewhere, and the plan names one that stays at the source', async () => {
    const { a, vault } = await vaultOfCouncil()
    const source = seatSource(a.seat, vault)
    expect(await movedKeys(source, { held: [] })).toEqual({ keys: 'keep' })
    const bound = await vaultWith({ next })
    const { keys } = (await keyStateAt(bound.a.seat, bound.vault)).roles.identity
    const boundSource = seatSource(bound.a.seat, bound.vault)
    expect(await movedKeys(boundSource, { held: keys })).toEqual({ keys: 'keep', identity_stays: keys })
    expect(await movedKeys(boundSource, { held: [] })).toEqual({ keys: 'keep' })
    const operators = (await keyStateAt(bound.a.seat, bound.vault)).roles.operators.keys
    expect(await movedKeys(boundSource, { held: [], operators })).toEqual({ keys: 'keep', operators_stays: operators })
  })
})

describe('a vault whose key events have witnesses', () => {
  test('is not copied before they have signed', async () => {
    const { a, b, vault } = await vaultWith({ witnesses }, witness)
    const before = await rootsAt(a, vault)
    const reached: string[] = []
    const refused = moveWith(partsOf(a, b, vault), async (effect) => reached.push(effect))
    expect(await codeOf(refused)).toBe('MIGRATION_IDENTITY_MISSING')
    expect(reached).toEqual(['accept', 'endorse'])
    expect(await activeAt([a, b], vault)).toEqual([a])
    await rollBack(a, b, vault, (await unfinished(a))?.migration ?? '')
    expect(await expectSound([a, b], vault, before)).toBe(a)
  })

  test('moves with their signatures', async () => {
    const { a, b, vault } = await vaultWith({ witnesses }, witness)
    const parts = partsOf(a, b, vault)
    const signAsIdentity: MoveSource['signAsIdentity'] = async (payload) => {
      const own = decodeEnvelope(await parts.source.signAsIdentity(payload))
      return encodeEnvelope(mergeEnvelopes([own, await signEnvelope('key', payload, [witness])]))
    }
    expectCertified(await moveWith({ ...parts, source: { ...parts.source, signAsIdentity } }))
    expect(await activeAt([a, b], vault)).toEqual([b])
  })
})
