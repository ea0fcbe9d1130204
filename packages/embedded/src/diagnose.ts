import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AbortOptions } from '@vault/core'
import { type ChecksumFindingCode, checkChecksums } from './checksums.ts'
import { diagnoseCaps } from './diagnose-caps.ts'
import { diagnoseFork } from './diagnose-fork.ts'
import { diagnoseKeys } from './diagnose-keys.ts'
import { diagnoseLog } from './diagnose-log.ts'
import { diagnoseMigrations } from './diagnose-migrations.ts'
import { diagnosePacks } from './diagnose-packs.ts'
import { diagnoseSpace, MAKE_ROOM, SPACE } from './diagnose-space.ts'
import { diagnoseStayingKeys } from './diagnose-staying-keys.ts'
import { diagnoseTenure } from './diagnose-tenure.ts'
import type { Check, Diagnosis } from './diagnosis.ts'
import { Marks } from './marks.ts'
import { findPlace, openPlace, PLACE_FILE, type Place } from './place.ts'
import { isDamageError } from './survey.ts'
import { tellsOfFullDisk } from './tells-of-full-disk.ts'

/** Where a diagnosis looks. */
export interface DiagnoseOptions extends AbortOptions {
  /** See `OpenOptions.stateDir`. */
  readonly stateDir?: string
}

/**
 * Looks at everything that opening a vault needs, step by step, also where it cannot be opened, and says of each thing that is wrong what
 * that means and what to do. Reads no content: whether each object is sound, a scrub says. Changes nothing, and never throws for what
 * is wrong with the folder.
 */
export async function diagnose(dir: string, { stateDir, signal }: DiagnoseOptions = {}): Promise<Diagnosis> {
  const checks: Check[] = []
  const found = await attempt('folder', dir, () => findPlace(dir))
  if ('name' in found) return conclude([found])
  if (found.value === undefined) return conclude([await noFolder(dir)])
  const place = found.value
  checks.push({ name: 'folder', ok: true, message: `The vault lies in ${place}.` })
  checks.push(...(await diagnoseFile(place)))
  checks.push(...(await diagnoseKeys(place)))
  checks.push(await diagnoseSpace(place))
  const opened = await attempt('stores', dir, () => openPlace(place, { mode: 'read' }))
  if ('name' in opened) {
    const others = checks.filter(({ name }) => name !== opened.name || name !== SPACE)
    return conclude(
      [...others, ...(opened.name === PLACE_FILE ? [] : [opened])],
      'The vault cannot be opened, so its state, log and packs were not looked at.',
    )
  }
  await using open: Place = opened.value
  const marks =
    stateDir === undefined ? undefined : new Marks({ stateDir, instance: open.info.instance, warn: () => {} })
  const steps = [
    () => diagnoseTenure(open, { signal }),
    () => diagnoseFork(open, { signal }),
    () => diagnoseStayingKeys(open, { signal }),
    () => diagnoseLog(open, marks, { signal }),
    () => diagnosePacks(open, { signal }),
    () => diagnoseMigrations(open, { signal }),
    () => diagnoseCaps(open, { signal }),
  ]
  for (const step of steps) {
    const done = await attempt('stores', dir, step)
    checks.push(...('name' in done ? [done] : done.value))
  }
  return conclude(checks)
}

async function noFolder(dir: string): Promise<Check> {
  const message = `${dir} holds no vault: there is no ${PLACE_FILE} in it, nor in ${join(dir, '.vault')}.`
  for (const place of [dir, join(dir, '.vault')]) {
    const isPlace = await readFile(join(place, 'SHA256SUMS')).then(
      () => true,
      () => false,
    )
    if (isPlace) {
      const advice = `vaultctl verify ${dir} --repair`
      return {
        name: 'vault.json',
        ok: false,
        lost: 'no',
        message: `${PLACE_FILE} is missing from ${place}, whose other files are there. It says which place this is and holds no content.`,
        advice: `Bring it back from a backup of this very folder, or try: ${advice}`,
      }
    }
  }
  return {
    name: 'folder',
    ok: false,
    lost: 'unknown',
    message,
    advice: 'Check the path; a disk may not be mounted. To make a new vault there: vaultctl init DIR',
  }
}

/** `vault.json` and the checksums of the small files. */
async function diagnoseFile(place: string): Promise<readonly Check[]> {
  const findings = await attempt('checksums', place, () => checkChecksums(place))
  if ('name' in findings) return [findings]
  if (findings.value.length === 0) {
    return [{ name: 'checksums', ok: true, message: `${PLACE_FILE}, the keys and SHA256SUMS are what was written.` }]
  }
  return findings.value.map(({ code, message, subject = '' }) => {
    const isKeyLost = subject.startsWith('keys/') && code === ('VAULT_FILE_DAMAGED' satisfies ChecksumFindingCode)
    return {
      name: subject === PLACE_FILE ? PLACE_FILE : 'checksums',
      ok: false,
      lost: isKeyLost ? ('key' as const) : ('no' as const),
      message,
      advice: isKeyLost
        ? `Bring ${subject} back from a backup: keys are in no replica.`
        : `vaultctl verify ${place} --repair`,
    }
  })
}

/** What a step gives, or the check that says why it failed. */
async function attempt<T>(name: string, dir: string, run: () => Promise<T>): Promise<Check | { readonly value: T }> {
  try {
    return { value: await run() }
  } catch (error) {
    return failure(name, dir, error)
  }
}

function failure(name: string, dir: string, error: unknown): Check {
  const { code = '', message } = error as { readonly code?: string; readonly message: string }
  const fresh = `vault-migrate run --no-handoff --from ANOTHER-PLACE --to NEW-DIR`
  if (code === 'VAULT_FORMAT') {
    return {
      name: PLACE_FILE,
      ok: false,
      lost: 'no',
      message: `${message} It says which place this is and holds no content.`,
      advice: `vaultctl verify ${dir} --repair`,
    }
  }
  if (code === 'VAULT_INACCESSIBLE') {
    return {
      name,
      ok: false,
      lost: 'no',
      message,
      advice: 'Run this as the user who owns the folder, or give this user access to it.',
    }
  }
  if (tellsOfFullDisk(error)) return { name: SPACE, ok: false, lost: 'no', message, advice: MAKE_ROOM }
  if (code === 'SOUP_BUSY') {
    return {
      name: 'soup.sqlite',
      ok: false,
      lost: 'no',
      message,
      advice: 'Wait until the other command is done, and try again.',
    }
  }
  if (code.startsWith('SOUP_')) {
    return {
      name: 'soup.sqlite',
      ok: false,
      lost: 'here',
      message: `${message} It holds the names of the files and what belongs to the vault; the contents are in objects/ and are not touched by this.`,
      advice: `Keep this folder as it is. Bring soup.sqlite back from a backup, or make a new copy from another place that holds the vault: ${fresh}`,
    }
  }
  return { name, ok: false, lost: isDamageError(error) ? 'here' : 'unknown', message, advice: `vaultctl verify ${dir}` }
}

/** Whether anything is wrong, and first of all whether data is lost. */
function conclude(checks: readonly Check[], unseen?: string): Diagnosis {
  const wrong = checks.filter(({ ok }) => !ok)
  const summary = [summaryOf(wrong), ...(unseen === undefined ? [] : [unseen])].join(' ')
  return { ok: wrong.length === 0, summary, checks }
}

function summaryOf(wrong: readonly Check[]): string {
  if (wrong.length === 0) {
    return 'Nothing is wrong with what was looked at. Contents were not read: "vaultctl verify" reads every object.'
  }
  const kinds = new Set(wrong.map(({ lost }) => lost))
  if (kinds.has('here'))
    return 'Something that the vault needs is damaged here. Another copy of the vault can bring it back; change nothing in this folder before that.'
  if (kinds.has('old'))
    return 'This is not the newest state of the vault. Nothing is lost as long as the newer copy exists: find it before anything is written.'
  if (kinds.has('key'))
    return 'No content is lost. A key is damaged or missing: what is stored can be read, but not everything can be done with it.'
  if (kinds.has('unknown')) return 'Whether data is lost cannot be said from what was found.'
  return 'No data is lost, as far as can be seen without reading all of it. What was found can be put right.'
}
