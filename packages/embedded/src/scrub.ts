import { relative } from 'node:path'
import { type BulkCasReader, type CasReader, reopen, type ScrubbableCas, type ScrubStep } from '@vault/cas'
import { type AbortOptions, type ContentId, type Finding, isVaultError, type Random } from '@vault/core'
import type { Auditable, KeyedMember, SoupReader } from '@vault/soup'
import { damagedRootCertificate } from './caps/root-certificate.ts'
import { checkChecksums } from './checksums.ts'
import { type Damage, namesOf } from './damage.ts'
import type { VaultLog } from './vault-log.ts'

/** What a scrub reports as it goes, and at its end. */
export type ScrubEvent =
  | { readonly type: 'progress'; readonly checked: number; readonly bytes: number; readonly objects: number }
  | ({ readonly type: 'report' } & ScrubReport)

/** The outcome of a scrub. */
export interface ScrubReport {
  /** Whether nothing is damaged. */
  readonly ok: boolean
  /** Objects under charge. */
  readonly objects: number
  /** Objects whose bytes were read and hashed. */
  readonly checked: number
  /** Entries of the audit log, all of which were read and hashed. */
  readonly entries: number
  readonly damaged: readonly Damage[]
  /** What is worth knowing and is no damage, such as bytes that a killed process never acknowledged, or a damaged copy of what has a sound one. */
  readonly notes: readonly Finding[]
  /** Where not everything was read: how large the sample was, and how probably it missed a single damaged object. */
  readonly sample?: { readonly size: number; readonly missProbability: number }
}

export interface ScrubParts {
  readonly dir: string
  readonly objects: CasReader & BulkCasReader & ScrubbableCas
  readonly soup: SoupReader & Auditable
  readonly log: Pick<VaultLog, 'dir' | 'verify'>
  readonly random: Random
}

/** Codes of findings that are no damage. */
const NOTES: ReadonlySet<string> = new Set(['CAS_UNACKNOWLEDGED'])
const PAGE = 1024

/**
 * Reads back everything: every object in every pack, every derived file, every row, every small file, the whole audit log. With
 * `sample`, only that many objects, picked at random, instead of the packs. Changes nothing.
 */
export async function* scrubVault(
  parts: ScrubParts,
  options: AbortOptions & { readonly sample?: number } = {},
): AsyncGenerator<ScrubEvent> {
  const { soup } = parts
  const objects = await soup.view(async (view) => view.counts.objects, options)
  const findings: Finding[] = [...(await checkChecksums(parts.dir))]
  const notes: Finding[] = []
  const damaged = new Set<ContentId>()
  const lost = new Set<ContentId>()
  const progress = { checked: 0, bytes: 0 }

  for await (const finding of soup.check(options)) findings.push(damagedRootCertificate(finding, parts.dir) ?? finding)
  const log = await checkLog(parts, options)
  findings.push(...log.findings)
  const size = Math.min(options.sample ?? objects, objects)
  const steps =
    options.sample === undefined
      ? readAll(parts, { findings, notes, damaged, lost }, options)
      : readSample(parts, size, damaged, options)
  for await (const step of steps) {
    progress.checked += step.checked
    progress.bytes += step.bytes
    yield { type: 'progress', ...progress, objects }
  }

  const names = damaged.size === 0 ? new Map<ContentId, readonly string[]>() : await namesOf(soup, damaged, options)
  const damage: Damage[] = [...damaged].map((id) => ({
    code: 'CAS_CORRUPT',
    subject: id,
    names: names.get(id) ?? [],
    message: `The object ${id} is under charge and has no sound copy here. Heal it from another place that holds the vault (vaultctl verify --repair --from), or put the files that need it with "again" set (vaultctl put --again).`,
  }))
  for (const id of lost) {
    const message = `The block ${id}, which the audit log names, has no sound copy here. Heal it from a place that has the log too (vaultctl verify --repair --from).`
    damage.push({ code: 'CAS_CORRUPT', subject: id, names: [], message })
  }
  for (const finding of findings) {
    if (NOTES.has(finding.code)) notes.push(finding)
    else damage.push({ ...finding, subject: finding.subject ?? '', names: [] })
  }
  yield {
    type: 'report',
    ok: damage.length === 0,
    objects,
    checked: progress.checked,
    entries: log.entries,
    damaged: damage,
    notes,
    ...(options.sample !== undefined && { sample: { size, missProbability: objects === 0 ? 0 : 1 - size / objects } }),
  }
}

/** What is wrong with the audit log; the files of its findings relative to the place. */
async function checkLog(
  { dir, log }: ScrubParts,
  options: AbortOptions,
): Promise<{ readonly entries: number; readonly findings: readonly Finding[] }> {
  const findings: Finding[] = []
  let entries = 0
  for await (const step of log.verify(options)) {
    entries = step.checked
    for (const { subject, ...finding } of step.findings) {
      findings.push({ ...finding, subject: `${relative(dir, log.dir)}/${subject ?? ''}` })
    }
  }
  return { entries, findings }
}

/** Where reading everything leaves what it finds. */
interface Results {
  readonly findings: Finding[]
  readonly notes: Finding[]
  /** Objects under charge without a sound copy. */
  readonly damaged: Set<ContentId>
  /** The same of blocks that are held. */
  readonly lost: Set<ContentId>
}

interface Step {
  readonly checked: number
  readonly bytes: number
}

/** Reads all packs in the order in which they lie, then asks for every member whether it was among what was read. */
async function* readAll(
  parts: ScrubParts,
  { findings, notes, damaged, lost }: Results,
  options: AbortOptions,
): AsyncGenerator<Step> {
  const suspects = new Set<ContentId>()
  const suspected: ScrubStep[] = []
  for await (const step of parts.objects.scrub(options)) {
    for (const id of step.damaged) suspects.add(id)
    if (step.damaged.length > 0) suspected.push(step)
    else findings.push(...step.findings)
    yield step
  }
  for await (const page of memberPages(parts.soup, options)) {
    const held = await parts.objects.hasMany(
      page.map((member) => member.id),
      options,
    )
    for (const [i, { id }] of page.entries()) {
      // A damaged copy may have a sound one in another pack, which a read then serves.
      if (!held[i] || (suspects.has(id) && !(await isSound(parts.objects, id)))) damaged.add(id)
    }
  }
  for await (const page of heldPages(parts.soup, options)) {
    const held = await parts.objects.hasMany(page, options)
    for (const [i, id] of page.entries()) {
      if (!held[i] || (suspects.has(id) && !(await isSound(parts.objects, id)))) lost.add(id)
    }
  }
  // What concerns only objects that are not under charge, or have a sound copy elsewhere, takes nothing from the vault.
  for (const step of suspected) {
    const matters = step.damaged.some((id) => damaged.has(id) || lost.has(id))
    ;(matters ? findings : notes).push(...step.findings)
  }
}

/** Reads `size` members that follow one another from a random key on: keys are hashes, so that is a random sample. */
async function* readSample(
  parts: ScrubParts,
  size: number,
  damaged: Set<ContentId>,
  options: AbortOptions,
): AsyncGenerator<Step> {
  let left = size
  await reopen(parts.objects, options)
  for (const start of [parts.random(32), undefined]) {
    for await (const page of memberPages(parts.soup, options, start)) {
      const wanted = page.slice(0, left)
      if (wanted.length === 0) break
      left -= wanted.length
      for await (const { blocks, absent, damaged: broken } of parts.objects.getMany(
        [wanted.map(({ id }) => id)],
        options,
      )) {
        for (const id of [...absent, ...broken]) damaged.add(id)
        yield { checked: blocks.length, bytes: blocks.reduce((sum, block) => sum + block.bytes.length, 0) }
      }
    }
  }
}

async function* memberPages(
  soup: SoupReader,
  options: AbortOptions,
  start?: Uint8Array,
): AsyncGenerator<readonly KeyedMember[]> {
  for (let after = start; ; ) {
    const page = await soup.members({ ...(after && { after }), limit: PAGE }, options)
    if (page.length > 0) yield page
    if (page.length < PAGE) return
    after = page.at(-1)?.key
  }
}

async function* heldPages(soup: SoupReader, options: AbortOptions): AsyncGenerator<readonly ContentId[]> {
  for (let after: ContentId | undefined; ; ) {
    const page = await soup.held({ ...(after && { after }), limit: PAGE }, options)
    if (page.length > 0) yield page.map(({ id }) => id)
    if (page.length < PAGE) return
    after = page.at(-1)?.id
  }
}

async function isSound(objects: CasReader, id: ContentId): Promise<boolean> {
  try {
    return (await objects.get(id)) !== undefined
  } catch (error) {
    if (isVaultError(error, 'CAS_CORRUPT')) return false
    throw error
  }
}
