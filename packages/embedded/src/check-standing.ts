import { checkMark, type TrailReader } from '@vault/audit-chain'
import { type AbortOptions, type Finding, isVaultError, VaultError, type VaultId } from '@vault/core'
import type { SoupStore, Tenure, TenureState, VaultSoup } from '@vault/soup'
import type { Marks, Seen } from './marks.ts'
import { type Found, writeEvidence } from './standing-evidence.ts'
import type { VaultLog } from './vault-log.ts'

/** What is compared. */
export interface StandingParts {
  readonly vault: VaultId
  readonly dir: string
  readonly instance: string
  readonly soups: SoupStore
  readonly log: VaultLog
  /** Where no state is kept outside, only the log and the soup are compared with each other. */
  readonly marks: Marks | undefined
}

/** Where the log is that of all that was ever committed, here. */
const OWN_LOG: ReadonlySet<TenureState> = new Set(['active', 'quiesced', 'retired', 'ended'])
/** Damage of the log keeps nobody from reading, and is reported by a scrub. */
const DAMAGE: ReadonlySet<string> = new Set([
  'AUDIT_TAMPERED',
  'AUDIT_MISSING',
  'AUDIT_NOTE_INVALID',
  'AUDIT_CHECKPOINT_INVALID',
  'AUDIT_CHECKPOINT_UNTRUSTED',
])

/**
 * Refuses a vault that is behind what it was, or has another history: its soup, its log, or both were put back from an old copy, or
 * the log is gone. Throws `AUDIT_ROLLBACK` or `AUDIT_FORK` with `details.findings`, and `details.evidence`, a file, where
 * marks are kept. Otherwise returns how far the vault is. Damage of the log is thrown unless it is only to be read.
 */
export async function checkStanding(
  parts: StandingParts,
  { mode }: { readonly mode: 'read' | 'write' },
  options: AbortOptions,
): Promise<Seen | undefined> {
  const { findings, found, seen } = await compareStanding(parts, { mode }, options)
  if (findings.length > 0) throw await refusal(parts, findings, found, seen?.get(parts.vault), options)
  const { trail, tenure } = found
  if (trail === undefined || !OWN_LOG.has(tenure.state)) return undefined
  const { epoch, sequence } = tenure
  return { mark: { epoch, sequence, size: trail.size, root: trail.root }, checkpoint: trail.checkpoint }
}

/** In what a vault is behind, or other than, what it was; `seen`: the marks of this place, where marks are kept. */
export async function compareStanding(
  parts: Omit<StandingParts, 'instance'>,
  { mode }: { readonly mode: 'read' | 'write' },
  options: AbortOptions,
): Promise<{
  readonly findings: readonly Finding[]
  readonly found: Found
  readonly seen: ReadonlyMap<VaultId, Seen> | undefined
}> {
  const { vault, soups, log, marks } = parts
  const soup = soups.soup(vault)
  // In this order, so that whoever changes the vault meanwhile makes it further than what was read before.
  const seen = await marks?.all()
  const settled = await settledOf(soup, options)
  const trail = await log.read(options).catch((error: unknown) => {
    if (mode === 'read' && isVaultError(error) && DAMAGE.has(error.code)) return undefined
    throw error
  })
  const tenure = await soup.tenure(options)
  const findings: Finding[] = []
  if (trail !== undefined && OWN_LOG.has(tenure.state)) findings.push(...compare(trail, tenure, settled))
  for (const [other, { mark }] of seen ?? []) {
    if (other !== vault) findings.push(...missing(other, mark.sequence, await soups.tenures.read(other, options)))
    else if (trail === undefined) findings.push(...behind(mark.sequence, tenure))
    else findings.push(...(await checkMark(mark, trail, tenure, options)))
  }
  return { findings, found: { tenure, trail }, seen }
}

/** How many events the soup knows to be in the log. */
async function settledOf(soup: VaultSoup, options: AbortOptions): Promise<number> {
  const { events } = await soup.tenure(options)
  const [first] = await soup.queued({ limit: 1 }, options)
  return Math.min(events, first?.index ?? events)
}

function compare({ size }: TrailReader, { state, events }: Tenure, settled: number): readonly Finding[] {
  const finding = (message: string): readonly Finding[] => [{ code: 'AUDIT_ROLLBACK', message, subject: 'log' }]
  if (size < settled) return finding(`The log has ${size} entries, and ${settled} were written to it.`)
  if (size > events && state !== 'retired')
    return finding(`The log has ${size} entries, and the vault knows of ${events}.`)
  return []
}

function behind(was: number, { sequence }: Tenure): readonly Finding[] {
  if (sequence >= was) return []
  return [{ code: 'AUDIT_ROLLBACK', message: `The sequence is ${sequence}, but was ${was}.`, subject: 'sequence' }]
}

/** A vault with changes does not leave a place: it is retired there. */
function missing(vault: VaultId, was: number, { state }: Tenure): readonly Finding[] {
  if (state !== 'none' || was === 0) return []
  return [{ code: 'AUDIT_ROLLBACK', message: `The vault ${vault} was here, and is not.`, subject: vault }]
}

async function refusal(
  parts: StandingParts,
  findings: readonly Finding[],
  found: Found,
  seen: Seen | undefined,
  options: AbortOptions,
): Promise<Error> {
  const code = findings.some((finding) => finding.code === 'AUDIT_FORK') ? 'AUDIT_FORK' : 'AUDIT_ROLLBACK'
  const evidence = parts.marks && (await writeEvidence(parts, { code, findings, found, seen }, options))
  const said = findings.map(({ message }) => message).join(' ')
  return new VaultError({
    code,
    message: [
      `${parts.dir} is not the vault that was here last, or not all of it. ${said}`,
      ...(evidence === undefined ? [] : [`Evidence: ${evidence}.`]),
      'Put the newer copy back; or look into this one with its mark ignored; or, where it is a backup that was restored on purpose, say so with restore-from-backup.',
    ].join(' '),
    details: { findings, ...(evidence === undefined ? {} : { evidence }) },
  })
}
