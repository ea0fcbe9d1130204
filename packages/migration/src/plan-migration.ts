import type { AbortOptions, Random } from '@vault/core'
import { decodeEnvelope, systemRandom, toHex, VaultError, verifyKeyHistory } from '@vault/core'
import type { Query, Tenure } from '@vault/soup'
import type { Held, ScreeningTarget, Source, Target } from './endpoint.ts'
import type { MigrationErrorCode } from './error.ts'
import { forked } from './forked.ts'
import type { KeyedTarget, MoveSource } from './move/move-endpoint.ts'
import { decodePlan } from './parse-plan.ts'
import type { Mandate } from './permission.ts'
import { permissionFor } from './permission.ts'
import type { MigrationReason, Plan, Verification } from './plan.ts'
import { encodePlan } from './plan.ts'
import { requireWhole, sourceStatement } from './source-statement.ts'

/** The parts of a migration: two places, and leave to use them. */
export interface MigrationParts extends Mandate {
  readonly source: Source
  readonly target: Target
}

/** What a plan is made with: both places are only looked at. */
export interface PlanParts extends Mandate {
  readonly source: Source & Partial<Pick<MoveSource, 'instance'>>
  /** Of a hand-off, with what the plan is to name it by. */
  readonly target: Pick<Target, 'label' | 'look'> &
    Partial<Pick<KeyedTarget, 'instance' | 'key'> & Pick<ScreeningTarget, 'screen'>>
}

export interface PlanOptions extends AbortOptions {
  readonly reason?: MigrationReason
  /** Only these entries, their objects and all that these link to, into the active vault at the target. */
  readonly select?: Query
  /** Default: full. */
  readonly verification?: Verification
  /** Hands the vault off. Default: the target gets a copy. */
  readonly handoff?: NonNullable<Plan['handoff']>
  /** Default: 8. */
  readonly rounds?: number
  readonly random?: Random
}

/**
 * Decides what a migration will do and finds out whether it may (M007, M014). Changes nothing. Throws what a run would
 * be refused with before its first byte.
 */
export async function planMigration(parts: PlanParts, options: PlanOptions = {}): Promise<Plan> {
  const {
    reason,
    select,
    handoff,
    verification = { mode: 'full' },
    rounds = 8,
    random = systemRandom,
    signal,
  } = options
  signal?.throwIfAborted()
  const { source, target } = parts
  // First of all: a vault that was handed off is looked for where it is active, and mostly that is the target.
  if (handoff !== undefined) await requireActive(source, handoff, { signal })
  const held = await target.look(source.vault, { signal })
  const kind = select === undefined ? 'full' : 'partial'
  if (handoff === undefined || !(await mayBePassed(source, held.tenure, { signal }))) {
    await requireFit(kind, parts, held, { signal })
  }
  await permissionFor(parts, { source: source.vault, target: held.tenure.vault }, { signal }).require()
  if (select !== undefined && target.screen !== undefined) {
    for await (const page of source.soup.query(select, { signal })) target.screen(page)
  }
  const plan: Plan = {
    type: 'migration-plan',
    v: 1,
    migration_id: newMigrationId(random),
    kind,
    ...(reason === undefined ? {} : { reason }),
    source: { vault: source.vault, label: source.label, ...(await sourceStatement(source, { signal })) },
    target: { label: target.label, ...(handoff === undefined ? {} : identityOf(target)) },
    ...(select === undefined ? {} : { select }),
    verification,
    ...(handoff === undefined ? {} : { handoff }),
    rounds,
  }
  return decodePlan(encodePlan(plan))
}

/** A target that waits for an epoch which the vault has left behind. Whether that is proven is for the target to say, when it accepts. */
async function mayBePassed(source: Source, { state, epoch }: Tenure, options: AbortOptions): Promise<boolean> {
  return state === 'prepared' && (await source.soup.tenure(options)).epoch > epoch
}

/** A label can be that of any place, so whoever approves a hand-off is told more. */
function identityOf({ instance, key }: PlanParts['target']): Pick<Plan['target'], 'instance' | 'place'> {
  return { ...(instance !== undefined && { instance }), ...(key !== undefined && { place: key }) }
}

/** Only the place where a vault is active can give it away, and only under keys that may follow those of now. */
export async function requireActive(
  source: Source,
  { keys }: NonNullable<Plan['handoff']>,
  options: AbortOptions,
): Promise<void> {
  const { vault, label, soup } = source
  const { state, migration } = await soup.tenure(options)
  if (state === 'active') {
    const events = await source.keyEvents(options)
    const { retired, next } = verifyKeyHistory(events.map((event) => decodeEnvelope(event)))
    // A new identity is made at the target, and nobody has committed to that.
    const isBound = keys !== 'keep' && next !== null
    if (!retired && !isBound) return
    const why = retired
      ? `has ended by its last key event, so ${ENDED}`
      : 'has committed to the identity that follows, so it moves with the one that it has: plan it with the keys of now (keep), or let the identity that was committed to follow first'
    throw new VaultError<MigrationErrorCode>({
      code: 'MIGRATION_SOURCE_REFUSED',
      message: `The vault ${vault} in ${label} ${why}.`,
      details: { vault, state },
    })
  }
  const why = WHY[state]?.(migration) ?? 'see its status'
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_SOURCE_REFUSED',
    message: `The vault ${vault} is ${state} in ${label}, so it cannot be handed off from there: ${why}.`,
    details: { vault, state, migration },
  })
}

const ENDED = 'it is active nowhere else: copy it (--no-handoff)'

const WHY: Readonly<Record<string, (migration: string | undefined) => string>> = {
  ended: () => ENDED,
  retired: (migration) => `it was handed off by the migration ${migration}; move it from where it is active`,
  quiesced: (migration) => `the migration ${migration} has closed it; resume that, or roll it back, which opens it`,
}

/** A new id (M008): 32 hexadecimal digits. */
export function newMigrationId(random: Random): string {
  return toHex(random(16))
}

/** Refuses what this kind of migration cannot be done from or into. */
export async function requireFit(
  kind: Plan['kind'],
  { source, target }: Pick<PlanParts, 'source' | 'target'>,
  { tenure }: Held,
  options: AbortOptions,
): Promise<void> {
  await requireWhole(source, options)
  const receivable =
    kind === 'full' ? FULL.has(tenure.state) : tenure.state === 'active' && tenure.vault !== source.vault
  if (receivable) return
  if (kind === 'full' && (await isFork({ source, target }, tenure, options))) throw forked(source.vault, target.label)
  throw refused(tenure, target.label, kind === 'full' ? 'receive it whole' : 'take a part of another vault')
}

/** A folder that is moved onto itself, or onto a copy of its files, is none. */
async function isFork(
  { source, target }: Pick<PlanParts, 'source' | 'target'>,
  { state }: Tenure,
  options: AbortOptions,
): Promise<boolean> {
  const [ours, theirs] = [source.instance, target.instance]
  if (state !== 'active' || ours === undefined || theirs === undefined || ours === theirs) return false
  return (await source.soup.tenure(options)).state === 'active'
}

const FULL: ReadonlySet<string> = new Set(['none', 'receiving', 'replica', 'retired'])

function refused({ vault, state }: Tenure, label: string, what: string): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_TARGET_REFUSED',
    message: `The vault ${vault} is ${state} at ${label}, so it cannot ${what} there.`,
    details: { vault, state },
  })
}
