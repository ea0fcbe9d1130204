import type { KeyState, Threshold, VaultId } from '@vault/core'
import { isSameThreshold, toHex } from '@vault/core'
import type { PlannedEvent } from './open-plan.ts'
import { nameIn } from './open-plan.ts'
import { owedWords } from './owed-words.ts'
import type { CeremonyPlan, KeyChange, KeyFounding } from './plan.ts'
import type { Ceremony } from './read-ceremony.ts'

const ROLES = ['identity', 'operators', 'log'] as const

/** In words, a line each: what a plan is to do and who has which part. For whoever is about to sign it. */
export function describePlan({ id, plan, event }: Pick<Ceremony, 'id' | 'plan' | 'event'>): readonly string[] {
  const { change, splits, witnesses, software, proposer, created, expires } = plan
  const names = (keys: readonly CeremonyPlan['proposer'][]) => keys.map((key) => nameIn(plan, key)).join(', ')
  const lines = [
    `Ceremony ${id}`,
    `planned by ${nameIn(plan, proposer)} with ${software.name} ${software.version}, from ${timeText(created)} to ${timeText(expires)}`,
  ]
  if (change !== null && event !== undefined) lines.push(...describeChange(plan, change, event))
  for (const { key, threshold, holders } of splits) {
    const held = names(holders.map((holder) => holder.key))
    lines.push(`shares of the key of ${nameIn(plan, key)}: any ${threshold} of ${holders.length} give it back: ${held}`)
  }
  if (witnesses.threshold > 0)
    lines.push(`witnesses: ${witnesses.threshold} of ${witnesses.keys.length}: ${names(witnesses.keys)}`)
  return lines
}

function describeChange(
  plan: CeremonyPlan,
  change: KeyChange | KeyFounding,
  { vault, seq, before, after }: PlannedEvent,
): readonly string[] {
  const lines = [headOf(change, vault, seq)]
  if (change.why === 'migrate')
    lines.push(`  by the migration ${change.context?.migration} to the place ${change.context?.instance}`)
  for (const role of ROLES) {
    const [old, now] = [before && someText(plan, before.roles[role]), someText(plan, change.roles[role])]
    lines.push(`  ${role.padEnd(9)} ${old === undefined ? now : changeText(old, now)}`)
  }
  if (before === undefined || after === undefined) return lines
  const [seen, sees] = [someText(plan, before.witnesses), someText(plan, after.witnesses)]
  // Most vaults have none, and whoever signs is to see what is there.
  if (before.witnesses.threshold > 0 || after.witnesses.threshold > 0)
    lines.push(`  ${'seen by'.padEnd(9)} ${changeText(seen, sees)}`)
  return [...lines, ...describeCommitment(before, after)]
}

function headOf(change: KeyChange | KeyFounding, vault: VaultId, seq: number): string {
  if (change.why === 'inception') return `the vault ${vault} is founded:`
  if (change.why === 'retire')
    return `THE VAULT ${vault} ENDS with key event ${seq}, for ever: nothing in it changes any more, and no key event follows. Its keys:`
  return `${change.why} of the keys of the vault ${vault}, key event ${seq}:`
}

/** What becomes of the keys that may follow as the identity. */
function describeCommitment(
  { roles, next: old }: KeyState,
  { roles: { identity }, next }: KeyState,
): readonly string[] {
  const lines: string[] = []
  const isFollowed = !isSameThreshold(roles.identity, identity)
  if (old !== null && isFollowed) lines.push('  the identity is the one that the event before committed to')
  if (old !== null && next === null)
    lines.push('  NO COMMITMENT any more: whoever has the identity may name any that follows')
  if (next === null) return lines
  const { digests, threshold } = next
  const digest = digests.map((each) => toHex(each)).join(', ')
  const said = old !== null && !isFollowed ? 'the commitment stays' : 'A COMMITMENT is made'
  return [
    ...lines,
    `  ${said}: as the identity follow ${threshold} of the ${digests.length} keys with the hashes ${digest}`,
  ]
}

function changeText(before: string, after: string): string {
  return before === after ? `stays ${after}` : `${after}; before: ${before}`
}

/** In words: who has done what, by which key, who owes what, and what was refused. */
export function describeCeremony(ceremony: Ceremony): readonly string[] {
  const { plan, contributions, receipts, attestations, commit, owed, findings, phase } = ceremony
  const who = (key: CeremonyPlan['proposer']) => `${nameIn(plan, key)} (${key})`
  const lines = [...describePlan(ceremony)]
  for (const [key, { record }] of contributions) {
    const gave = [record.event && 'signed the key event', record.shares && 'split the key']
      .filter(Boolean)
      .join(' and ')
    lines.push(`✓ ${who(key)} ${gave}, ${timeText(record.at)}, with ${record.software.name} ${record.software.version}`)
  }
  for (const [key, { record }] of receipts) lines.push(`✓ ${who(key)} keeps the share, ${timeText(record.at)}`)
  if (commit !== undefined) lines.push(`✓ committed: ${commit.id}`)
  for (const [key, { record }] of attestations) lines.push(`✓ ${who(key)} attests it, ${timeText(record.at)}`)
  for (const words of owedWords(plan, owed)) lines.push(`– lacks ${words}`)
  for (const { code, message } of findings) lines.push(`✗ ${message} [${code}]`)
  lines.push(findings.length > 0 ? 'It does not hold: files are refused.' : PHASES[phase])
  return lines
}

const PHASES: Readonly<Record<Ceremony['phase'], string>> = {
  open: 'It is open: nothing has changed, and what was before counts.',
  ready: 'It is ready: all is there, and may be committed.',
  committed: 'It is committed, and not yet attested by as many witnesses as it needs.',
  complete: 'It is complete, and holds.',
}

function someText(plan: CeremonyPlan, { keys, threshold }: Threshold): string {
  if (threshold === 0) return 'nobody'
  return `${threshold} of ${keys.length}: ${keys.map((key) => nameIn(plan, key)).join(', ')}`
}

function timeText(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `second ${seconds}` : date.toISOString().replace('.000Z', 'Z')
}
