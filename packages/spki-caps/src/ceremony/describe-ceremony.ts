import type { Roles } from '@vault/core'
import { nameIn } from './open-plan.ts'
import type { CeremonyPlan } from './plan.ts'
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
  if (change !== null && event !== undefined) {
    const { vault, seq } = event
    const roles = event.before?.roles
    lines.push(
      roles === undefined
        ? `the vault ${vault} is founded:`
        : `${change.why} of the keys of the vault ${vault}, key event ${seq}:`,
    )
    if (change.why === 'migrate')
      lines.push(`  by the migration ${change.context?.migration} to the place ${change.context?.instance}`)
    for (const role of ROLES) {
      const [before, after] = [roles && roleText(plan, roles[role]), roleText(plan, change.roles[role])]
      const replaced = before === after ? `stays ${after}` : `${after}; before: ${before}`
      lines.push(`  ${role.padEnd(9)} ${before === undefined ? after : replaced}`)
    }
  }
  for (const { key, threshold, holders } of splits) {
    const held = names(holders.map((holder) => holder.key))
    lines.push(`shares of the key of ${nameIn(plan, key)}: any ${threshold} of ${holders.length} give it back: ${held}`)
  }
  if (witnesses.threshold > 0)
    lines.push(`witnesses: ${witnesses.threshold} of ${witnesses.keys.length}: ${names(witnesses.keys)}`)
  return lines
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
  for (const { what, needed, keys } of owed)
    lines.push(
      `– ${needed} more ${what}${needed === 1 ? '' : 's'}, of: ${keys.map((key) => nameIn(plan, key)).join(', ')}`,
    )
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

function roleText(plan: CeremonyPlan, { keys, threshold }: Roles['identity']): string {
  return `${threshold} of ${keys.length}: ${keys.map((key) => nameIn(plan, key)).join(', ')}`
}

function timeText(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `second ${seconds}` : date.toISOString().replace('.000Z', 'Z')
}
