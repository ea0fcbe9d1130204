import { join, relative } from 'node:path'
import { type Finding, isVaultError, type VaultError } from '@vault/core'
import type { Damage, ScrubEvent } from '@vault/embedded'
import { EXIT, exitCodeOf } from '../exit-code.ts'
import { firstError } from '../failure.ts'
import { counted, humanCount } from '../human.ts'
import { addReadOptions, openVaultAt, type ReadOptions } from '../open-vault.ts'
import { parseCount } from '../parse-count.ts'
import type { Program, Run } from '../program.ts'
import { warnOfFindings } from '../warn-of-findings.ts'

interface Options extends ReadOptions {
  readonly sample?: string
}

export function addVerify(program: Program): void {
  const command = program.command
    .command('verify <dir>')
    .description('read back every object, every file and the log of a vault and name what is damaged')
    .option('--sample <n>', 'read only so many objects, picked at random')
  addReadOptions(command).addHelpText(
    'after',
    '\nChanges nothing. Exit code 1 on any damage, also in derived files.\n\nExamples:\n  vaultctl verify ~/vault\n  vaultctl verify ~/vault --sample 1000',
  )
  program.action<[string, Options]>(command, async (run, dir, options) => {
    const { output, progress } = run
    const sample = options.sample === undefined ? undefined : parseCount('--sample', options.sample)
    for await (const event of scrub(run, dir, { ...options, sample })) {
      if (event.type === 'progress') {
        progress.show({ label: 'Verifying', done: event.checked, total: sample ?? event.objects, bytes: event.bytes })
        continue
      }
      progress.clear()
      for (const note of event.notes) output.note(`Note: ${about(note)}`)
      warnOfFindings(output, event.damaged.map(damageLine))
      const { ok, objects, checked, entries, damaged } = event
      const chance = event.sample && `${(event.sample.missProbability * 100).toPrecision(3)} %`
      await output.result(
        {
          ok,
          objects,
          checked,
          entries,
          damaged,
          notes: event.notes,
          ...(event.sample && { sample: { size: event.sample.size, miss_probability: event.sample.missProbability } }),
        },
        ok
          ? `Sound: ${chance ? `${counted(checked, 'object')} of ${humanCount(objects)}, a sample that misses a single damaged object with a probability of ${chance}` : `every file, every object (${humanCount(objects)}), and the log (${counted(entries, 'entry')})`}.`
          : `DAMAGED: ${counted(damaged.length, 'finding')}.`,
      )
      return ok ? EXIT.ok : EXIT.refused
    }
    throw new Error('The scrub ended without a report.')
  })
}

/** The scrub of a vault; damage that keeps it from being opened, or from being read on, is its report as well. */
async function* scrub(
  { output, signal }: Run,
  dir: string,
  { sample, ...options }: ReadOptions & { readonly sample: number | undefined },
): AsyncGenerator<ScrubEvent> {
  let reached = { checked: 0, objects: 0 }
  try {
    await using vault = await openVaultAt(dir, { ...options, output }, { mode: 'read', signal })
    for await (const event of vault.scrub({ signal, ...(sample !== undefined && { sample }) })) {
      if (event.type === 'progress') reached = event
      yield event
    }
  } catch (caught) {
    const error = firstError(caught)
    if (exitCodeOf(error) !== EXIT.damaged || !isVaultError(error)) throw error
    const { code, message } = error
    const subject = subjectOf(error, dir)
    const { checked, objects } = reached
    yield {
      type: 'report',
      ok: false,
      objects,
      checked,
      entries: 0,
      damaged: [{ code, subject, names: [], message }],
      notes: [],
    }
  }
}

/** The damaged file, relative to the place; the object, where that is known and no file is. */
function subjectOf({ code, details }: Pick<VaultError, 'code' | 'details'>, dir: string): string {
  const { file, path = file, id } = details
  if (typeof path === 'string') {
    const inside = [join(dir, '.vault'), dir].map((place) => relative(place, path))
    return inside.find((name) => !name.startsWith('..')) ?? path
  }
  if (typeof id === 'string') return id
  return code.startsWith('SOUP_') ? 'soup.sqlite' : '.'
}

function damageLine(damage: Damage): string {
  const names = damage.names.length > 0 ? ` It is, or is a part of: ${damage.names.join(', ')}.` : ''
  return `Damaged: ${about(damage)}${names}`
}

/** The message, begun with what it is about unless it says so itself. */
function about({ message, subject }: Finding): string {
  return subject === undefined || message.includes(subject) ? message : `${subject}: ${message}`
}
