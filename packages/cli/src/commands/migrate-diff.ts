import type { Difference, DifferenceCounts } from '@vault/migration'
import { comparedEnds } from '../compared-ends.ts'
import { EXIT } from '../exit-code.ts'
import { counted } from '../human.ts'
import { addReadOptions, type ReadOptions } from '../open-vault.ts'
import { parseCount } from '../parse-count.ts'
import { printable } from '../printable.ts'
import type { Program } from '../program.ts'
import { addRemoteOptions } from '../remote-end.ts'
import { addPlaceOption, type RemotePlaceOptions } from '../remote-place.ts'

interface Options extends ReadOptions, RemotePlaceOptions {
  readonly from: string
  readonly fromKey?: string
  readonly to: string
  readonly names?: boolean
  readonly limit?: string
}

const MARKS: Readonly<Record<Difference['where'], string>> = { 'only-here': '<', 'only-there': '>', different: '!' }

export function addDiff(program: Program): void {
  const command = program.command
    .command('diff')
    .description('say what is different between two places; exit code 0 where nothing is, else 1')
    .requiredOption('--from <dir>', 'the one: a folder, or https://HOST:PORT/vaults/ID of "vaultctl serve"')
    .requiredOption('--to <dir>', 'the other: a folder, or https://HOST:PORT')
    .option('--names', 'name what is different: < only in the first, > only in the second, ! different')
    .option('--limit <n>', 'with --names: at most so many; default: 1000')
    .addHelpText(
      'after',
      '\nChanges nothing, and takes as long as what is different, not as what is alike.\nIt compares what belongs to the vaults; whether their bytes are good, "vault-migrate verify" and "vaultctl verify" say.\nLeave to read is asked for at both; at a server, leave to copy the vault from there or to bring it does as well.\n\nExamples:\n  vault-migrate diff --from ~/vault --to /mnt/copy/vault --names\n  vault-migrate diff --from ~/vault --to https://vault.example:8443 --peer-key ed25519:z6Mk…\n  vault-migrate diff --from https://old.example:8443/vaults/bafy… --from-key ed25519:z6Mk… --to https://new.example:8443 --peer-key ed25519:z6Mk… --as me',
    )
  addPlaceOption(addRemoteOptions(addReadOptions(command))).option(
    '--from-key <key>',
    'where both ends are https://…: the key of the server at --from',
  )
  program.action<[Options]>(command, async (run, options) => {
    const { output, signal } = run
    const { from, to, names = false } = options
    const limit = options.limit === undefined ? 1_000 : parseCount('--limit', options.limit)
    const { compareVaults } = await import('@vault/migration')
    await using ends = await comparedEnds({ ...options, output, signal })
    const named: Difference[] = []
    const counts = await drained(compareVaults(ends.here, ends.there, { signal }), (page) => {
      if (names) named.push(...page.slice(0, limit - named.length))
    })
    const { objects, entries } = counts
    const total = objects.onlyHere + objects.onlyThere + entries.onlyHere + entries.onlyThere + entries.different
    await output.result(
      {
        ok: true,
        same: total === 0,
        objects: { only_here: objects.onlyHere, only_there: objects.onlyThere },
        entries: { only_here: entries.onlyHere, only_there: entries.onlyThere, different: entries.different },
        ...(names && { names: named, omitted: total - named.length }),
      },
      [
        total === 0 ? `${from} and ${to} hold the same.` : describe(counts, from, to),
        ...named.map(({ where, name }) => `${MARKS[where]} ${printable(name)}`),
        ...(names && total > named.length ? [`… and ${total - named.length} more`] : []),
      ].join('\n'),
    )
    return total === 0 ? EXIT.ok : EXIT.refused
  })
}

async function drained<Page, End>(pages: AsyncGenerator<Page, End>, see: (page: Page) => void): Promise<End> {
  while (true) {
    const step = await pages.next()
    if (step.done === true) return step.value
    see(step.value)
  }
}

function describe({ objects, entries }: DifferenceCounts, from: string, to: string): string {
  const only = (o: number, e: number, dir: string) =>
    `${counted(o, 'object')} and ${counted(e, 'entry')} only in ${dir}`
  return [
    only(objects.onlyHere, entries.onlyHere, from),
    only(objects.onlyThere, entries.onlyThere, to),
    `${counted(entries.different, 'entry')} with other values.`,
  ].join(', ')
}
