import type { Authorize } from '@vault/core'
import type { Vault } from '@vault/embedded'
import type { ScreeningTarget, Source } from '@vault/migration'
import { EXIT, type ExitCode } from './exit-code.ts'
import { followCopy } from './follow-copy.ts'
import { counted, humanBytes, humanSeconds } from './human.ts'
import { openVaultAt, type StateOptions } from './open-vault.ts'
import type { Output } from './output.ts'
import type { Run } from './program.ts'
import { queryOf } from './query-of.ts'
import { isRemote, type RemoteOptions, remotePartTarget, remoteSource } from './remote-end.ts'

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
  const { planMigration, runMigration } = await import('@vault/migration')
  await using parts = isRemote(from)
    ? await pulled(from, to, { ...state, output, signal })
    : await pushed(from, to, { ...state, output, signal })
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

interface Ends extends AsyncDisposable {
  readonly source: Source
  readonly target: ScreeningTarget
  /** Each vault of this machine is asked about what is done with it; a server asks by itself. */
  readonly authorize: Authorize
}

type Options = StateOptions & RemoteOptions & { readonly output: Output; readonly signal: AbortSignal }

/** From a vault of this machine into one of this machine, or at a server. */
async function pushed(from: string, to: string, options: Options): Promise<Ends> {
  const { signal } = options
  const { owner, partTargetOf, screenPart, sourceOf } = await import('@vault/embedded')
  await using opened = new AsyncDisposableStack()
  const intent = { action: 'migrate' }
  const vault = opened.use(await openVaultAt(from, options, { mode: 'read', intent, keepHashes: true, signal }))
  const source = sourceOf(vault)
  if (isRemote(to)) {
    const found = opened.use(await remotePartTarget(to, { ...options, place: vault.place }))
    // The server refuses the same, too, but only when it comes to it.
    const target = { ...found, screen: screenPart }
    return ends({ source, target, authorize: eachOf(vault, { id: target.vault, authorize: owner }) }, opened)
  }
  const into = opened.use(await openVaultAt(to, options, { signal }))
  return ends({ source, target: partTargetOf(into), authorize: eachOf(vault, into) }, opened)
}

/** From a vault at a server into one of this machine, whose place shows its key. */
async function pulled(from: string, to: string, options: Options): Promise<Ends> {
  const { signal } = options
  const { owner, partTargetOf } = await import('@vault/embedded')
  await using opened = new AsyncDisposableStack()
  const into = opened.use(await openVaultAt(to, options, { signal }))
  const source = opened.use(await remoteSource(from, { ...options, place: into.place }))
  return ends({ source, target: partTargetOf(into), authorize: eachOf({ authorize: owner }, into) }, opened)
}

function ends(parts: Omit<Ends, keyof AsyncDisposable>, opened: AsyncDisposableStack): Ends {
  const kept = opened.move()
  return { ...parts, [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose]() }
}

function eachOf(source: Pick<Vault, 'authorize'>, target: Pick<Vault, 'id' | 'authorize'>): Authorize {
  return async (request, options) => await (request.object === target.id ? target : source).authorize(request, options)
}
