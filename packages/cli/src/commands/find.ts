import type { Query } from '@vault/soup'
import { parseCondition } from '../condition-syntax.ts'
import { EXIT, UsageError } from '../exit-code.ts'
import { addReadOptions, openVaultAt, type ReadOptions } from '../open-vault.ts'
import { parseCount } from '../parse-count.ts'
import { printable } from '../printable.ts'
import type { Program } from '../program.ts'
import { requireQuery } from '../query-of.ts'
import { repeatable } from '../repeatable.ts'

interface Options extends ReadOptions {
  readonly where?: readonly string[]
  readonly any?: boolean
  readonly order?: string
  readonly limit?: string
}

export function addFind(program: Program): void {
  const command = program.command
    .command('find <dir> [pattern]')
    .description('find entries by name and by what their fields say')
    .option(
      '-w, --where <condition>',
      'FIELD=VALUE, !=, <, <=, >, >=, FIELD~PATTERN, FIELD, !FIELD; may be repeated',
      repeatable,
    )
    .option('--any', 'one of the conditions is enough')
    .option('--order <field>', 'order by this field; with :desc, the other way round')
    .option('--limit <n>', 'at most so many')
  addReadOptions(command).addHelpText(
    'after',
    "\nFields of files: key, type, object, size, mode. In a pattern * stands for any text and ? for one character.\n\nExamples:\n  vaultctl find ~/vault '*.jpg'\n  vaultctl find ~/vault -w 'size>=1000000' --order size:desc --limit 10\n  vaultctl find ~/vault -w type=policy",
  )
  program.action<[string, string | undefined, Options]>(command, async ({ output, signal }, dir, pattern, options) => {
    const conditions = (options.where ?? []).map(parseCondition)
    const [field, direction, ...rest] = options.order?.split(':') ?? []
    if (rest.length > 0 || ![undefined, 'asc', 'desc'].includes(direction))
      throw new UsageError('--order takes FIELD, FIELD:asc or FIELD:desc.')
    const filters =
      conditions.length > 1 ? [{ op: options.any ? ('or' as const) : ('and' as const), conditions }] : conditions
    const name = pattern === undefined ? [] : [{ op: 'like' as const, field: 'key', pattern: `path:${pattern}` }]
    const all = [...name, ...filters]
    const query: Query = {
      ...(all.length > 0 && { where: { op: 'and', conditions: all } }),
      ...(field !== undefined && { order: { field, direction: direction === 'desc' ? 'descending' : 'ascending' } }),
      ...(options.limit !== undefined && { limit: parseCount('--limit', options.limit) }),
    }
    await requireQuery(query)
    await using vault = await openVaultAt(dir, { ...options, output }, { mode: 'read', signal })
    await output.list('entries', vault.find(query, { signal }), {
      json: (entry) => entry,
      text: (entry) => printable(entry.key.startsWith('path:') ? entry.key.slice(5) : entry.key),
    })
    return EXIT.ok
  })
}
