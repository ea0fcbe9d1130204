import type { Authorize } from '@vault/core'
import type { Vault } from '@vault/embedded'
import type { PlanParts, Source, Target } from '@vault/migration'
import { UsageError } from './exit-code.ts'
import { openVaultAt, type StateOptions } from './open-vault.ts'
import type { Output } from './output.ts'
import { isRemote, type RemoteOptions, remoteSource, remoteTarget } from './remote-end.ts'
import { requireParent } from './require-parent.ts'

/** Both ends of a copy. */
export interface CopyEnds extends AsyncDisposable {
  readonly source: Source
  /** Whether who acts may do it: asked of the vault that lies here. A server asks by itself who is let in. */
  readonly authorize: Authorize
  /** The vault that is the source, where it lies here. */
  readonly vault?: Vault
  /** The target, to be looked at before anything is made there. */
  look(): Promise<Target & PlanParts['target'] & AsyncDisposable>
  open(): Promise<Target & AsyncDisposable>
}

interface Parts extends StateOptions, RemoteOptions {
  readonly from: string
  readonly to: string
  /** Keeps the hashes that are computed, so that the next one need not. */
  readonly keepHashes: boolean
  readonly output: Output
  readonly signal: AbortSignal
}

/** Folders, of which one may be a server: this machine shows the key of the place that lies on it. */
export async function copyEnds(parts: Parts): Promise<CopyEnds> {
  const { from, to } = parts
  if (!isRemote(to)) await requireParent(to)
  if (isRemote(from)) {
    if (isRemote(to))
      throw new UsageError(
        'Of a copy, one end is a folder of this machine: run this where one of the servers is, and name the folder that it serves.',
      )
    return await pulled(parts)
  }
  return await pushed(parts)
}

async function pushed({ from, to, keepHashes, ...parts }: Parts): Promise<CopyEnds> {
  const { lookAtTarget, openTarget, sourceOf } = await import('@vault/embedded')
  const { signal } = parts
  const vault = await openVaultAt(from, parts, { mode: 'read', intent: { action: 'migrate' }, keepHashes, signal })
  const reach = () => remoteTarget(to, { ...parts, of: vault })
  return {
    source: sourceOf(vault),
    authorize: vault.authorize,
    vault,
    look: () => (isRemote(to) ? reach() : lookAtTarget(to)),
    open: () => (isRemote(to) ? reach() : openTarget(to)),
    [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose](),
  }
}

async function pulled({ from, to, ...parts }: Parts): Promise<CopyEnds> {
  if ((parts.as ?? []).length > 0) throw new UsageError('--as is for vaults of this machine: a server lets in places.')
  const { lookAtTarget, openPlace, openTarget, owner } = await import('@vault/embedded')
  // The key that the server knows has to be there before it can be shown.
  await using place = await openPlace(to, { mode: 'read' })
  const source = await remoteSource(from, { ...parts, place })
  return {
    source,
    authorize: owner,
    look: () => lookAtTarget(to),
    open: () => openTarget(to),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  }
}
