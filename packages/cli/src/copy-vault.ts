import type { Summary } from '@vault/migration'
import { copyEnds } from './copy-ends.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { followCopy } from './follow-copy.ts'
import { howChecked } from './how-checked.ts'
import { counted, humanBytes, humanSeconds } from './human.ts'
import type { StateOptions } from './open-vault.ts'
import type { Run } from './program.ts'
import type { RemoteOptions } from './remote-end.ts'

/** Makes, or brings up to date, a verified copy of a vault in another place. */
export async function copyVault(
  run: Run,
  {
    from,
    to,
    reread,
    ...state
  }: StateOptions & RemoteOptions & { readonly from: string; readonly to: string; readonly reread: boolean },
): Promise<ExitCode> {
  const { output, signal } = run
  const started = performance.now()
  const { planMigration, runMigration } = await import('@vault/migration')
  await using ends = await copyEnds({ ...state, from, to, keepHashes: true, output, signal })
  const { source, authorize } = ends
  // Looked at first: what is refused leaves not even an empty place behind.
  const plan = await (async () => {
    await using target = await ends.look()
    return await planMigration({ source, target, authorize }, { signal })
  })()
  await using target = await ends.open()
  const summary = await followCopy(run, runMigration(plan, { source, target, authorize }, { signal, reread }))
  const seconds = (performance.now() - started) / 1000
  const { statement, sent, verification } = summary
  await output.result(
    {
      ok: true,
      phase: summary.phase,
      source: from,
      target: to,
      migration_id: plan.migration_id,
      objects: statement.counts.objects,
      bytes: statement.counts.bytes,
      entries: statement.counts.entries,
      seconds,
      sent: sent.objects,
      sent_bytes: sent.bytes,
      rounds: summary.rounds,
      objects_root: statement.roots.objects,
      soup_root: statement.roots.soup,
      verified: { coverage: verification.coverage, ...verification.checked },
      state: summary.tenure.state,
    },
    describe(summary, from, to, seconds),
  )
  return EXIT.ok
}

function describe({ statement, sent, verification }: Summary, from: string, to: string, seconds: number): string {
  const { objects, bytes } = statement.counts
  const rate = sent.bytes > 0 && seconds > 0 ? `, ${humanBytes(sent.bytes / seconds)}/s` : ''
  const sending = `Sent ${counted(sent.objects, 'object')} (${humanBytes(sent.bytes)}) in ${humanSeconds(seconds)}${rate}`
  const updated = verification.coverage.mode === 'difference'
  return [
    `${to} now holds the same vault as ${from}: ${counted(objects, 'object')}, ${humanBytes(bytes)}.`,
    `${sending}; ${updated ? 'that was read back and hashed' : howChecked(verification, from)}; both roots are equal.`,
    updated
      ? 'Brought up to date; what was there before was not read again: "vault-migrate verify" does that.'
      : 'It is a replica: it can be read and verified there, and is written here. Run again with --no-handoff to bring it up to date.',
  ].join('\n')
}
