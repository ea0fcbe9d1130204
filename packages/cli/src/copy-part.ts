import type { Authorize } from '@vault/core'
import type { Vault } from '@vault/embedded'
import { EXIT, type ExitCode } from './exit-code.ts'
import { followCopy } from './follow-copy.ts'
import { counted, humanBytes, humanSeconds } from './human.ts'
import { openVaultAt, type StateOptions } from './open-vault.ts'
import type { Run } from './program.ts'
import { queryOf } from './query-of.ts'

/** Copies a part of a vault into another one, which is active: what matches, and everything that it links to. */
export async function copyPart(
  run: Run,
  {
    from,
    to,
    where,
    ...state
  }: StateOptions & { readonly from: string; readonly to: string; readonly where: readonly string[] },
): Promise<ExitCode> {
  const { output, signal } = run
  const started = performance.now()
  const select = await queryOf(where)
  const { partTargetOf, sourceOf } = await import('@vault/embedded')
  const { planMigration, runMigration } = await import('@vault/migration')
  await using vault = await openVaultAt(
    from,
    { ...state, output },
    { mode: 'read', intent: { action: 'migrate' }, keepHashes: true, signal },
  )
  await using into = await openVaultAt(to, { ...state, output }, { signal })
  const parts = { source: sourceOf(vault), target: partTargetOf(into), authorize: eachOf(vault, into) }
  const plan = await planMigration(parts, { signal, select })
  const { phase, sent, verification } = await followCopy(run, runMigration(plan, parts, { signal }))
  const seconds = (performance.now() - started) / 1000
  const { checked } = verification
  await output.result(
    {
      ok: true,
      phase,
      kind: plan.kind,
      where,
      source: from,
      target: to,
      migration_id: plan.migration_id,
      selected: { objects: checked.objects, bytes: checked.bytes, entries: checked.entries },
      sent: sent.objects,
      sent_bytes: sent.bytes,
      entries: sent.entries,
      seconds,
      verified: { coverage: verification.coverage, ...checked },
      state: 'active',
    },
    [
      `The vault in ${to} now holds what matches: ${counted(checked.entries, 'entry')}, and ${counted(checked.objects, 'object')} (${humanBytes(checked.bytes)}) that they name and link to.`,
      `Sent ${counted(sent.objects, 'object')} (${humanBytes(sent.bytes)}) in ${humanSeconds(seconds)}; everything that matches was read back and hashed there. ${from} is as it was.`,
    ].join('\n'),
  )
  return EXIT.ok
}

/** Each vault is asked about what is done to it. */
function eachOf(source: Vault, target: Vault): Authorize {
  return async (request, options) => await (request.object === target.id ? target : source).authorize(request, options)
}
