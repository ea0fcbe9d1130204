import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContentId, Finding } from '@vault/core'
import type { FsCas } from '../src/index.ts'

/** A folder that goes away with its scope. */
export async function folder(): Promise<{ dir: string } & AsyncDisposable> {
  const dir = await mkdtemp(join(tmpdir(), 'vault-fs-'))
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) }
}

/** Paths of all files below, relative. */
export async function filesIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort()
}

export async function scrubbed(cas: FsCas): Promise<{ checked: number; damaged: ContentId[]; findings: Finding[] }> {
  let checked = 0
  const damaged: ContentId[] = []
  const findings: Finding[] = []
  for await (const step of cas.scrub()) {
    checked += step.checked
    damaged.push(...step.damaged)
    findings.push(...step.findings)
  }
  return { checked, damaged, findings }
}

export async function listed(cas: FsCas): Promise<ContentId[]> {
  const ids: ContentId[] = []
  for await (const page of cas.list()) ids.push(...page)
  return ids
}
