import { join } from 'node:path'
import type { ScrubStep } from '@vault/cas'
import { PackRows } from '@vault/cas'
import type { AbortOptions, Finding } from '@vault/core'
import type { Fs } from './fs.ts'
import { errorCode } from './fs.ts'
import type { Claim } from './scrub-index.ts'
import { collectLost, scrubRun } from './scrub-index.ts'
import { idsOf, scrubSegment } from './scrub-segment.ts'
import type { SegmentFiles } from './segment-files.ts'
import { readFailed } from './system-refusal.ts'

const EXPECTED = /^([0-9a-f]{32}\.pack|index)$/
const RUN = /^[0-9a-f]{32}\.idx$/
const TEMPORARY = /^[0-9a-f]{32}\.tmp$/

/**
 * Reads every segment and every index file wholly. The index comes first: what a segment loses while it is being read
 * was then known before.
 */
export async function* scrubPacks(
  parts: { readonly fs: Fs; readonly dir: string; readonly files: SegmentFiles },
  options?: AbortOptions,
): AsyncGenerator<ScrubStep> {
  const { fs, dir, files } = parts
  const claims: Claim[] = []
  for (const name of await namesIn(fs, join(dir, 'objects', 'index'))) {
    options?.signal?.throwIfAborted()
    const path = join(dir, 'objects', 'index', name)
    const subject = `objects/index/${name}`
    if (!RUN.test(name)) {
      yield stepOf([strayFile(subject, TEMPORARY.test(name))])
      continue
    }
    const report = await scrubRun(fs, path, options)
    claims.push(...report.claims)
    yield { ...stepOf(report.findings.map((finding) => ({ ...finding, subject }))), bytes: report.bytes }
  }
  const claimed = Map.groupBy(claims, ({ name }) => name)
  const segments = (await files.list()).sort()
  for (const name of segments) yield* scrubSegment({ fs, dir, files, name, claims: claimed.get(name) ?? [] }, options)
  for (const name of await namesIn(fs, join(dir, 'objects'))) {
    if (!EXPECTED.test(name)) yield stepOf([strayFile(`objects/${name}`, false)])
  }
  for (const [name, missing] of claimed) if (!segments.includes(name)) yield* missingSegment(fs, name, missing)
}

/** A segment that the index names and the folder has not: all its objects are damaged, as far as this segment goes. */
async function* missingSegment(fs: Fs, name: string, claims: readonly Claim[]): AsyncGenerator<ScrubStep> {
  const lost = new PackRows()
  for (const { path } of claims) await collectLost(fs, path, name, () => true, lost)
  const damaged = idsOf(lost.bytes)
  if (damaged.length === 0) return
  const message = `The segment is missing; the index names ${damaged.length} objects in it. Bring the file back from a copy, or store the objects again.`
  yield { ...stepOf([{ code: 'CAS_MISSING', message, subject: `objects/${name}.pack` }]), damaged }
}

function strayFile(subject: string, temporary: boolean): Finding {
  return temporary
    ? {
        code: 'CAS_UNACKNOWLEDGED',
        message:
          'An index file that is being written, or whose writing was interrupted: a writer removes it after a day.',
        subject,
      }
    : { code: 'CAS_FOREIGN', message: 'Not a file of this store. Move it elsewhere.', subject }
}

function stepOf(findings: readonly Finding[]): ScrubStep {
  return { checked: 0, bytes: 0, damaged: [], findings }
}

async function namesIn(fs: Fs, folder: string): Promise<string[]> {
  const names = await fs.list(folder).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return []
    throw readFailed(folder, error)
  })
  return [...names].sort()
}
