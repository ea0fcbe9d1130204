import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { MoveEvent } from '@vault/migration'
import { moveVault, planMigration } from '@vault/migration'
import { expect, test } from 'vitest'
import {
  createVault,
  MIGRATION_CHANNEL,
  type MigrationMessage,
  moveSourceOf,
  openMoveTarget,
  openVault,
  owner,
  publishEvents,
} from '../src/index.ts'
import { scratch } from './scratch.ts'

test('whoever subscribes is told what a move does, before it goes on', { timeout: 60_000 }, async () => {
  await using space = await scratch()
  await createVault(space.at('a'), { passphrase: undefined })
  await using vault = await openVault(space.at('a'))
  await using target = await openMoveTarget(space.at('b'))
  const parts = { source: await moveSourceOf(vault), target, authorize: owner }
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  const told: MigrationMessage[] = []
  const listen = (message: unknown) => void told.push(message as MigrationMessage)
  subscribe(MIGRATION_CHANNEL, listen)
  const seen: MoveEvent[] = []
  try {
    for await (const event of publishEvents(plan.migration_id, moveVault(plan, parts))) {
      seen.push(event)
      expect(told.at(-1)).toEqual({ migration: plan.migration_id, event })
    }
  } finally {
    unsubscribe(MIGRATION_CHANNEL, listen)
  }
  expect(told.map(({ event }) => event)).toEqual(seen)
  expect(seen.at(-1)).toMatchObject({ type: 'moved', state: { phase: 'complete' } })
})
