import type { Authorize } from '@vault/core'
import type { Vault } from '@vault/embedded'
import type { ScreeningTarget } from '@vault/migration'
import { EXIT, type ExitCode } from './exit-code.ts'
import { followCopy } from './follow-copy.ts'
import { counted, humanBytes, humanSeconds } from './human.ts'
import { openVaultAt, type StateOptions } from './open-vault.ts'
import type { Output } from './output.ts'
import type { Run } from './program.ts'
import { queryOf } from './query-of.ts'
import { isRemote, type RemoteOptions, remotePartTarget } from './remote-end.ts'

/** Copies a part of a vault into another one, which is active: what matches, and everything that it links to. */
export async function copyPart(
  run: Run,
  {
    from,
    to,
    where,
    ...state
  }: StateOptions & RemoteOptions & { readonly from: string; readonly to: string; readonly where: readonly string[] },
): Promise<ExitCode> {
  const { output, signal } = run
  const started = performance.now()
  const select = await queryOf(where)
  const { sourceOf } = await import('@vault/embedded')
  const { planMigration, runMigration } = await import('@vault/migration')
  await using vault = await openVaultAt(
    from,
    { ...state, output },
    { mode: 'read', intent: { action: 'migrate' }, keepHashes: true, signal },
  )
  await using into = await openInto(to, vault, { ...state, output, signal })
  const parts = { source: sourceOf(vault), target: into.target, authorize: into.authorize }
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

interface Into extends AsyncDisposable {
  readonly target: ScreeningTarget
  /** Each vault is asked about what is done to it; a server asks by itself. */
  readonly authorize: Authorize
}

/** The vault that takes the part: in a folder, or at a server. */
async function openInto(
  to: string,
  source: Vault,
  options: StateOptions & RemoteOptions & { readonly output: Output; readonly signal: AbortSignal },
): Promise<Into> {
  const { signal } = options
  if (isRemote(to)) {
    const { owner, screenPart } = await import('@vault/embedded')
    const target = await remotePartTarget(to, { ...options, place: source.place })
    return {
      // The server refuses them, too, but only when it comes to them.
      target: { ...target, screen: screenPart },
      authorize: eachOf(source.authorize, { id: target.vault, authorize: owner }),
      [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
    }
  }
  const { partTargetOf } = await import('@vault/embedded')
  const into = await openVaultAt(to, options, { signal })
  return {
    target: partTargetOf(into),
    authorize: eachOf(source.authorize, into),
    [Symbol.asyncDispose]: () => into[Symbol.asyncDispose](),
  }
}

function eachOf(source: Authorize, target: Pick<Vault, 'id' | 'authorize'>): Authorize {
  return async (request, options) => await (request.object === target.id ? target.authorize : source)(request, options)
}
