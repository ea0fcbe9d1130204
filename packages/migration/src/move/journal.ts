import type { AbortOptions, ContentId } from '@vault/core'
import { decode, encode, isVaultError, VaultError } from '@vault/core'
import type { Records, SwapOptions } from '@vault/soup'
import { changeRecord } from '@vault/soup'
import type { MigrationErrorCode } from '../error.ts'
import { MOVE_PHASES } from './phase.ts'
import type { MoveState } from './state.ts'

const FOLDER = 'migration/'
const NAME = '/state'

/** The write-ahead record of a move, kept at the source's place. One driver writes it: the one that opened it last. */
export class Journal {
  readonly #records: Records
  #state: MoveState
  #version: number
  /** Grows with every start; shown to the target, so that it shuts out those that came before. */
  readonly driver: number

  private constructor(records: Records, state: MoveState, version: number) {
    this.#records = records
    this.#state = state
    this.#version = version
    this.driver = version
  }

  /** Begins a new record. Throws `MIGRATION_STATE` where there is one of this id. */
  static async create(records: Records, state: MoveState, options?: AbortOptions): Promise<Journal> {
    const version = await records.swap(keyOf(state.migration), 0, encode(state), options)
    return new Journal(records, state, version)
  }

  /** Takes the record over; whoever had it is shut out with its next write. Throws "No checkpoint found" (M102). */
  static async take(records: Records, migration: string, options?: AbortOptions): Promise<Journal> {
    const record = await records.read(keyOf(migration), options)
    if (record === undefined) throw unknownMigration(migration)
    const state = parseState(record.bytes, migration)
    const version = await swap(records, migration, record.version, state, options)
    return new Journal(records, state, version)
  }

  get state(): MoveState {
    return this.#state
  }

  /** Whether nobody has changed the record since this run did. */
  async isOwn(options?: AbortOptions): Promise<boolean> {
    return (await this.#records.read(keyOf(this.#state.migration), options))?.version === this.#version
  }

  /** Throws `MIGRATION_PAUSED` where somebody has paused the move, and `MIGRATION_SUPERSEDED` where another run has taken the record over. */
  async requireOwn(options?: AbortOptions): Promise<void> {
    const { migration } = this.#state
    const record = await this.#records.read(keyOf(migration), options)
    if (record?.version === this.#version) return
    throw record !== undefined && parseState(record.bytes, migration).phase === 'paused'
      ? pausedMove(migration)
      : superseded(migration)
  }

  /** Durable when it resolves, unless the options say that it need not be. Throws as `requireOwn` does. */
  async write(state: MoveState, options?: SwapOptions): Promise<void> {
    try {
      this.#version = await swap(this.#records, state.migration, this.#version, state, options)
    } catch (error) {
      if (isVaultError(error, 'MIGRATION_SUPERSEDED')) await this.requireOwn(options)
      throw error
    }
    this.#state = state
  }
}

/**
 * Changes the record of a move that somebody else may be driving, in one step: where `change` throws, that one has not been disturbed.
 * Throws "No checkpoint found" (M102).
 */
export async function changeMove(
  records: Records,
  migration: string,
  change: (state: MoveState) => MoveState,
  options?: AbortOptions,
): Promise<MoveState> {
  let changed: MoveState | undefined
  const record = (before: Uint8Array | undefined) => {
    if (before === undefined) throw unknownMigration(migration)
    const state = parseState(before, migration)
    changed = change(state)
    return changed === state ? undefined : encode(changed)
  }
  await changeRecord(records, keyOf(migration), record, options)
  return changed as MoveState
}

/** The state of a move, without taking it over; `undefined` where there is none of this id. */
export async function readMove(
  records: Records,
  migration: string,
  options?: AbortOptions,
): Promise<MoveState | undefined> {
  const record = await records.read(keyOf(migration), options)
  return record && parseState(record.bytes, migration)
}

/** All moves that a place has a record of, or those of one vault, the latest planned first. */
export async function listMoves(
  records: Records,
  { vault, ...options }: AbortOptions & { readonly vault?: ContentId } = {},
): Promise<readonly MoveState[]> {
  const moves: MoveState[] = []
  for (const key of await records.list(FOLDER, options)) {
    if (!key.endsWith(NAME)) continue
    const state = await readMove(records, key.slice(FOLDER.length, -NAME.length), options)
    if (state !== undefined && (vault === undefined || state.vault === vault)) moves.push(state)
  }
  return moves.sort((a, b) => b.planned - a.planned || (a.migration < b.migration ? -1 : 1))
}

/** "No checkpoint found" (M102). */
export function unknownMigration(migration: string): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_UNKNOWN',
    message: `No checkpoint found: this place has no record of a migration ${migration}.`,
    details: { migration },
  })
}

function keyOf(migration: string): string {
  return `${FOLDER}${migration}${NAME}`
}

async function swap(
  records: Records,
  migration: string,
  version: number,
  state: MoveState,
  options?: SwapOptions,
): Promise<number> {
  try {
    return await records.swap(keyOf(migration), version, encode(state), options)
  } catch (error) {
    if (!isVaultError(error, 'SOUP_CONFLICT')) throw error
    throw superseded(migration, error)
  }
}

/** Another run leads the migration. */
export function superseded(migration: string, cause?: unknown): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_SUPERSEDED',
    message: `Another run has taken over the migration ${migration}. This one has stopped; what it did stays.`,
    details: { migration },
    cause,
  })
}

function pausedMove(migration: string): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_PAUSED',
    message: `The migration ${migration} was paused. What it did stays, and the source takes changes; resume it to go on, or roll it back.`,
    details: { migration },
  })
}

/** Rows of a store are checked by the store; this guards against a record of another kind or version. */
function parseState(bytes: Uint8Array, migration: string): MoveState {
  const state = decode(bytes) as MoveState
  if (state.type === 'migration-state' && state.v === 1 && MOVE_PHASES.includes(state.phase)) return state
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_STATE',
    message: `The record of the migration ${migration} was written by other software, or a newer version of this one.`,
    details: { migration },
  })
}
