// A move that is finished and asked for again: only where the vault is still there is that a success.
import { expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import { arrivedMove, requireArrived, requireNotArrived } from '../../src/move/arrived-move.ts'
import type { MoveState } from '../../src/move/state.ts'
import { activeAt, move, partsOf } from './moving.ts'
import { found, memoryPlace, put } from './seats.ts'

async function places() {
  const [a, b, c] = [memoryPlace('A', 1), memoryPlace('B', 2), memoryPlace('C', 3)] as const
  const vault = await found(a)
  await put(a, vault, [rawBlock('one'), rawBlock('two')])
  return { a, b, c, vault }
}

test('a vault that has not left is asked for anew, and one that has left is known by the key or the instance of its place', async () => {
  const { a, b, c, vault } = await places()
  const { source, target } = partsOf(a, b, vault)
  expect(await arrivedMove(source, async () => ({ instance: b.seat.instance }))).toBeUndefined()
  const state = await move(a, b, vault)
  expect(await arrivedMove(source, async () => ({ instance: b.seat.instance }))).toEqual(state)
  expect(await arrivedMove(source, async () => ({ key: b.seat.place.key }))).toEqual(state)
  const refused = { code: 'MIGRATION_SOURCE_REFUSED', details: { migration: state.migration, place: 'B' } }
  for (const other of [{ key: c.seat.place.key }, { instance: c.seat.instance }, {}])
    await expect(arrivedMove(source, async () => other)).rejects.toMatchObject(refused)
  await requireArrived(state, target)
  expect(await activeAt([a, b, c], vault)).toEqual([b])
})

test('whoever plans it is told that it has arrived, or went on from there', async () => {
  const { a, b, c, vault } = await places()
  const { source, target } = partsOf(a, b, vault)
  await requireNotArrived(source, target)
  const { migration } = await move(a, b, vault)
  const records = await b.store.records.list('')
  const arrived = { code: 'MIGRATION_COMPLETE', details: { vault, migration, place: 'B' } }
  await expect(requireNotArrived(source, target)).rejects.toMatchObject(arrived)
  expect(await b.store.records.list('')).toEqual(records)
  const elsewhere = { code: 'MIGRATION_SOURCE_REFUSED' }
  await expect(requireNotArrived(source, partsOf(a, c, vault).target)).rejects.toMatchObject(elsewhere)
  await move(b, c, vault)
  await expect(requireNotArrived(source, target)).rejects.toMatchObject(elsewhere)
})

test('where it was handed on since, that is no success; where it is there again, it is', async () => {
  const { a, b, c, vault } = await places()
  const { source, target } = partsOf(a, b, vault)
  const state = await move(a, b, vault)
  const { migration } = await move(b, c, vault)
  expect(await arrivedMove(source, async () => ({ instance: b.seat.instance }))).toEqual(state)
  const refused = { code: 'MIGRATION_SOURCE_REFUSED', details: { state: 'retired', migration, place: 'B' } }
  await expect(requireArrived(state as MoveState, target)).rejects.toMatchObject(refused)
  expect(await activeAt([a, b, c], vault)).toEqual([c])
  await move(c, b, vault)
  await requireArrived(state, target)
  await move(b, a, vault)
  await requireNotArrived(source, target)
  expect(await arrivedMove(source, async () => ({ instance: b.seat.instance }))).toBeUndefined()
})
