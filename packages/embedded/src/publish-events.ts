import { channel } from 'node:diagnostics_channel'
import type { MigrationEvent, MoveEvent } from '@vault/migration'

/** The channel on which whoever observes this process finds what its migrations do. */
export const MIGRATION_CHANNEL = 'vault:migration'

/** What subscribers of {@link MIGRATION_CHANNEL} are told, before whoever drives the migration goes on. */
export interface MigrationMessage {
  readonly migration: string
  readonly event: MigrationEvent | MoveEvent
}

/**
 * The same events of a run or a move, each told first to those who have subscribed to `vault:migration` of `node:diagnostics_channel`.
 * A subscriber that throws does not stop the migration: Node reports it as an uncaught exception of its own.
 */
export async function* publishEvents<Event extends MigrationEvent | MoveEvent>(
  migration: string,
  events: AsyncIterable<Event>,
): AsyncGenerator<Event> {
  const subscribers = channel(MIGRATION_CHANNEL)
  for await (const event of events) {
    if (subscribers.hasSubscribers) subscribers.publish({ migration, event } satisfies MigrationMessage)
    yield event
  }
}
