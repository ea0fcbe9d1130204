import { Readable } from 'node:stream'
import { type AuditQuery, parseAuditQuery, type TrailReader } from '@vault/audit-chain'
import { type AbortOptions, type Finding, fromUtf8, isVaultError } from '@vault/core'
import type { Vault } from '@vault/embedded'
import { EXIT, type ExitCode, UsageError } from '../exit-code.ts'
import { counted } from '../human.ts'
import { addReadOptions, openVaultAt, type ReadOptions } from '../open-vault.ts'
import { parseCount } from '../parse-count.ts'
import type { Program, Run } from '../program.ts'
import { warnOfFindings } from '../warn-of-findings.ts'

interface Options extends ReadOptions {
  readonly query?: string
  readonly limit?: string
  readonly reverse?: boolean
  readonly verify?: boolean
  readonly proof?: string
  readonly output?: string
  readonly force?: boolean
  readonly checkpoint?: boolean
  readonly vkey?: boolean
  readonly path?: boolean
}

const INSTEAD = ['verify', 'proof', 'checkpoint', 'vkey', 'path'] as const

export function addLog(program: Program): void {
  const command = program.command
    .command('log <dir>')
    .description('say who did what to a vault and when, from its audit log; verify the log, and prove what is in it')
    .option('--query <text>', 'only what fits, as verb=put and since=7d')
    .option('--limit <n>', 'at most so many')
    .option('--reverse', 'the latest first')
    .option('--verify', 'read and hash the whole log and name what is wrong')
    .option('--proof <n>', 'print a proof, for others, that entry n is in the log (C2SP tlog-proof)')
    .option('-o, --output <path>', 'write the proof here')
    .option('-f, --force', 'replace a file that is there')
    .option('--checkpoint', 'print the signed size and root of the log (C2SP tlog-checkpoint)')
    .option('--vkey', 'print the keys that verify what the log signed')
    .option('--path', 'print the folder of the log, to be served as static files (C2SP tlog-tiles)')
  addReadOptions(command).addHelpText(
    'after',
    '\nCriteria of a query: verb, object (* is any text), since and before (30m, 7d, 2026-11-23), sequence (12, 12..40); joined by\nand, or, not and parentheses. Exit code 1 where --verify finds the log damaged, 3 where it finds another history.\n\nExamples:\n  vaultctl log ~/vault --reverse --limit 10\n  vaultctl log ~/vault --query "object=path:photos/* and not verb=put"\n  vaultctl log ~/vault --proof 12 -o entry-12.tlog-proof\n  vaultctl log ~/vault --verify',
  )
  program.action<[string, Options]>(command, async (run, dir, options) => {
    const { output, signal } = run
    const chosen = INSTEAD.filter((name) => options[name])
    if (chosen.length > 1) throw new UsageError(`--${chosen[0]} and --${chosen[1]} exclude each other.`)
    const query = queryOf(options.query ?? '')
    const limit = options.limit === undefined ? undefined : parseCount('--limit', options.limit)
    const index = options.proof === undefined ? undefined : indexOf(options.proof)
    await using vault = await openVaultAt(
      dir,
      { ...options, output },
      { mode: 'read', intent: { action: 'audit' }, signal },
    )
    if (options.verify) return await verify(run, vault)
    if (options.vkey) return await printKeys(run, vault)
    if (options.path) {
      await output.result({ ok: true, path: vault.log.dir }, vault.log.dir)
      return EXIT.ok
    }
    const trail = await vault.log.read({ signal })
    if (index !== undefined) return await prove(run, trail, index, options)
    if (options.checkpoint) return await printCheckpoint(run, trail)
    const { describeEntry, toJsonLine } = await import('@vault/audit-chain')
    const { reverse = false } = options
    await output.list('entries', trail.query(query, { reverse, signal, ...(limit !== undefined && { limit }) }), {
      json: (entry) => JSON.parse(toJsonLine(entry)) as unknown,
      text: (entry) => `${describeEntry(entry)}\n`,
    })
    return EXIT.ok
  })
}

async function verify({ output, progress, signal }: Run, vault: Vault): Promise<ExitCode> {
  const findings: Finding[] = []
  let size = 0
  for await (const step of vault.log.verify({ signal })) {
    size = step.size
    findings.push(...step.findings)
    progress.show({ label: 'Verifying', done: step.checked, total: step.size })
  }
  progress.clear()
  warnOfFindings(
    output,
    findings.map(({ message }) => `Wrong: ${message}`),
  )
  const ok = findings.length === 0
  await output.result(
    { ok, entries: size, findings },
    ok ? `Sound: the whole log, ${counted(size, 'entry')}.` : `WRONG: ${counted(findings.length, 'finding')}.`,
  )
  if (ok) return EXIT.ok
  return findings.some(({ code }) => code === 'AUDIT_FORK' || code === 'AUDIT_ROLLBACK') ? EXIT.evidence : EXIT.refused
}

async function printKeys({ output, signal }: Run, vault: Vault): Promise<ExitCode> {
  const { formatVkey } = await import('@vault/audit-chain')
  const { origin, keys } = await vault.log.identity({ signal })
  const vkeys = keys.map(formatVkey)
  await output.result({ ok: true, origin, vkeys }, vkeys.join('\n'))
  return EXIT.ok
}

async function printCheckpoint({ output }: Run, { checkpoint, size }: TrailReader): Promise<ExitCode> {
  if (checkpoint === undefined) throw new UsageError('The log is empty: nothing of it was signed yet.')
  const text = fromUtf8(checkpoint)
  if (output.json) await output.result({ ok: true, size, checkpoint: text })
  else await output.raw(text)
  return EXIT.ok
}

/** The proof has the entry itself as its extra data: one file is all that a verifier needs besides the keys. */
async function prove(
  { output, signal }: Run,
  trail: TrailReader,
  index: number,
  { output: path, force: replace = false }: Options,
): Promise<ExitCode> {
  if (index >= trail.size) throw new UsageError(`The log has ${counted(trail.size, 'entry')}, numbered from 0.`)
  const bytes = await proofOf(trail, index, { signal })
  if (path !== undefined) {
    const { writePieces } = await import('@vault/embedded')
    await writePieces(Readable.from([bytes]), { path, replace })
    await output.result({ ok: true, index, output: path }, `Wrote the proof of entry ${index} to ${path}.`)
  } else if (output.json) await output.result({ ok: true, index, proof: fromUtf8(bytes) })
  else await output.raw(bytes)
  return EXIT.ok
}

async function proofOf(trail: TrailReader, index: number, { signal }: AbortOptions): Promise<Uint8Array> {
  const { encodeTlogProof, parseTlogProof } = await import('@vault/audit-chain')
  const { proof, checkpoint } = parseTlogProof(await trail.prove(index, trail.size, { signal }))
  let extra: Uint8Array | undefined
  for await (const page of trail.entries({ from: index, to: index + 1, signal })) extra = page[0]?.bytes
  return encodeTlogProof({ index, proof, checkpoint, ...(extra && { extra }) })
}

function queryOf(text: string): AuditQuery {
  try {
    return parseAuditQuery(text)
  } catch (error) {
    if (isVaultError(error, 'AUDIT_QUERY_INVALID')) throw new UsageError(error.message)
    throw error
  }
}

function indexOf(text: string): number {
  const index = Number(text)
  if (!/^\d{1,15}$/.test(text)) throw new UsageError('--proof takes the number of an entry, from 0 on.')
  return index
}
