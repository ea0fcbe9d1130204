import { decode, isContentId, isVaultError, parseKeyId, VaultError } from '@vault/core'
import type { Query } from '@vault/soup'
import { checkQuery } from '@vault/soup'
import type { MigrationErrorCode } from './error.ts'
import type { Plan } from './plan.ts'
import { MAX_SAMPLE, MIGRATION_REASONS } from './plan.ts'

const MAX_BYTES = 1024 * 1024
const MAX_LABEL = 1_024

const PLAN = ['type', 'v', 'migration_id', 'kind', 'source', 'target', 'verification', 'rounds']

/** Reads a plan from bytes that may come from anywhere. Throws `MIGRATION_PLAN_INVALID`, naming the field. */
export function decodePlan(bytes: Uint8Array): Plan {
  let value: unknown
  try {
    value = decode(bytes, { maxBytes: MAX_BYTES })
  } catch (cause) {
    throw invalid('it is not canonical DAG-CBOR of at most 1 MiB', cause)
  }
  return parsePlan(value)
}

function parsePlan(value: unknown): Plan {
  const plan = record(value, 'the plan', PLAN, ['reason', 'select', 'handoff'])
  check(plan.type === 'migration-plan', 'type is not "migration-plan"')
  check(plan.v === 1, 'v is not 1, the only version that this software reads')
  check(isHex(plan.migration_id, 32), 'migration_id is not 32 hexadecimal digits')
  check(plan.kind === 'full' || plan.kind === 'partial', 'kind is neither "full" nor "partial"')
  const reasons: readonly unknown[] = MIGRATION_REASONS
  check(plan.reason === undefined || reasons.includes(plan.reason), 'reason is not one of the five')
  parseSource(plan.source)
  parseTarget(plan.target, plan.handoff !== undefined)
  parseVerification(plan.verification)
  check(isCount(plan.rounds, 1, 1_000), 'rounds is not 1 to 1,000')
  check((plan.kind === 'partial') === (plan.select !== undefined), 'select stands in a partial plan and only there')
  if (plan.handoff !== undefined) {
    check(plan.kind === 'full', 'handoff stands only in a full plan')
    parseHandoff(plan.handoff)
  }
  if (plan.select !== undefined) parseSelect(plan.select, plan.verification)
  return value as Plan
}

function parseHandoff(value: unknown): void {
  const optional = ['identity_stays', 'operators_stays']
  const { keys, identity_stays: identity, operators_stays: operators } = record(value, 'handoff', ['keys'], optional)
  check(
    keys === 'new' || keys === 'new-identity' || keys === 'keep',
    'handoff.keys is not "new", "new-identity" or "keep"',
  )
  check(identity === undefined || keys === 'keep', 'handoff.identity_stays stands only where the identity is kept')
  check(operators === undefined || keys !== 'new', 'handoff.operators_stays stands only where the operators are kept')
  if (identity !== undefined) parseKeys(identity, 'handoff.identity_stays')
  if (operators !== undefined) parseKeys(operators, 'handoff.operators_stays')
}

/** At least one key, ascending. */
function parseKeys(value: unknown, name: string): void {
  const list: readonly unknown[] = Array.isArray(value) ? value : []
  check(list.length > 0 && list.every(isKey), `${name} is no list of keys`)
  check(
    list.every((key, i) => i === 0 || String(list[i - 1]) < String(key)),
    `${name} is not ascending`,
  )
}

function parseTarget(value: unknown, isHandoff: boolean): void {
  const { label, instance, place } = record(value, 'target', ['label'], isHandoff ? ['instance', 'place'] : [])
  check(isLabel(label), 'target.label is no text of 1 to 1,024 characters')
  check(instance === undefined || isHex(instance, 32), 'target.instance is not 32 hexadecimal digits')
  check(place === undefined || isKey(place), 'target.place is no key')
}

function parseSource(value: unknown): void {
  const source = record(value, 'source', ['vault', 'label', 'sequence', 'roots', 'counts'])
  check(isContentId(source.vault), 'source.vault is no content id')
  check(isLabel(source.label), 'source.label is no text of 1 to 1,024 characters')
  check(isCount(source.sequence), 'source.sequence is no natural number')
  const roots = record(source.roots, 'source.roots', ['objects', 'soup'])
  check(isHex(roots.objects, 64) && isHex(roots.soup, 64), 'source.roots are not 64 hexadecimal digits each')
  const counts = Object.values(record(source.counts, 'source.counts', ['objects', 'bytes', 'entries']))
  check(
    counts.every((count) => isCount(count)),
    'source.counts are no natural numbers',
  )
}

/** Throws `MIGRATION_PLAN_INVALID` for what is no verification. */
export function parseVerification(value: unknown): void {
  check(isRecord(value) && (value.mode === 'full' || value.mode === 'sample'), 'verification has no known mode')
  if (value.mode === 'full') return void record(value, 'verification', ['mode'])
  const { size, seed } = record(value, 'verification', ['mode', 'size', 'seed'])
  check(isCount(size, 1, MAX_SAMPLE), 'verification.size is not 1 to 100,000')
  check(isLabel(seed), 'verification.seed is no text of 1 to 1,024 characters')
}

function parseSelect(value: unknown, verification: unknown): void {
  check(isRecord(verification) && verification.mode === 'full', 'a partial plan is verified in full')
  try {
    checkQuery(value as Query)
  } catch (cause) {
    throw invalid('select is no query', cause)
  }
}

/** A map with exactly these fields: a field without meaning here may have meant a restriction. */
function record(
  value: unknown,
  name: string,
  required: readonly string[],
  optional: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  check(isRecord(value), `${name} is no map`)
  for (const field of required) check(Object.hasOwn(value, field), `${name} has no field ${field}`)
  const unknown = Object.keys(value).find((field) => !required.includes(field) && !optional.includes(field))
  check(unknown === undefined, `${name} has the unknown field ${JSON.stringify(unknown?.slice(0, 80))}`)
  return value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

function isKey(value: unknown): boolean {
  try {
    parseKeyId(value)
    return true
  } catch (error) {
    if (isVaultError(error)) return false
    throw error
  }
}

function isLabel(value: unknown): boolean {
  return typeof value === 'string' && value.length >= 1 && value.length <= MAX_LABEL
}

function isCount(value: unknown, least = 0, most: number = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
}

function isHex(value: unknown, length: number): boolean {
  return typeof value === 'string' && value.length === length && /^[0-9a-f]*$/.test(value)
}

function check(holds: boolean, fault: string): asserts holds {
  if (!holds) throw invalid(fault)
}

function invalid(fault: string, cause?: unknown): VaultError<MigrationErrorCode> {
  return new VaultError({ code: 'MIGRATION_PLAN_INVALID', message: `Not a migration plan: ${fault}.`, cause })
}
