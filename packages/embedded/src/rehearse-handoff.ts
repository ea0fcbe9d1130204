import { join } from 'node:path'
import type { AbortOptions, ContentId } from '@vault/core'
import { moveVault, planMigration, runMigration, verifyCertificate } from '@vault/migration'
import { partTargetOf, sourceOf } from './endpoint.ts'
import { createVault, openVault } from './open.ts'
import { owner } from './owner.ts'
import { moveSourceOf, openMoveTarget } from './seat.ts'
import type { Vault } from './vault.ts'

/** What handing off a throw-away copy showed. */
export interface HandoffRehearsal {
  /** Entries for files and folders that were copied, handed off, and verified, with what they name. */
  readonly entries: number
  readonly objects: number
  readonly bytes: number
  /** Milliseconds from the signature to the end, in which the place became active and made the certificate. */
  readonly handoffMs: number
  /** The certificate holds, and is one of the copy. */
  readonly certified: boolean
}

// What a vault grants and what it says of itself is about its own keys, and no other vault can have it.
const FILES = 'path:'

/**
 * Hands a throw-away copy off: a vault with keys of its own, made in a folder, gets all files of this one, moves to a second
 * folder beside it, and its certificate is verified. The vault itself is only read: nobody could take the copy for it, because it has another
 * id. Whoever calls this removes the folder.
 */
export async function rehearseHandoff(
  vault: Vault,
  dir: string,
  { signal }: AbortOptions = {},
): Promise<HandoffRehearsal> {
  const [here, there] = [join(dir, 'copy'), join(dir, 'handed-off')]
  await createVault(here, { passphrase: undefined, content: vault.inception.content })
  await using copy = await openVault(here)
  const filling = { source: sourceOf(vault), target: partTargetOf(copy), authorize: owner }
  const part = await planMigration(filling, { signal, select: { prefix: FILES } })
  for await (const _ of runMigration(part, filling, { signal }));
  await using target = await openMoveTarget(there)
  // Nothing is handed off, so nobody has to approve it.
  const { missingApprovals: _, ...source } = await moveSourceOf(copy)
  const parts = { source, target, authorize: owner }
  const plan = await planMigration(parts, { signal, handoff: { keys: 'new' } })
  let signing = 0
  let certificate: Uint8Array | null = null
  for await (const event of moveVault(plan, parts, { signal })) {
    if (event.type === 'step' && event.step.effect === 'sign') signing = performance.now()
    if (event.type === 'moved') certificate = event.state.certificate
  }
  const handoffMs = Math.round(performance.now() - signing)
  return { ...plan.source.counts, handoffMs, certified: isCertified(certificate, copy.id) }
}

function isCertified(certificate: Uint8Array | null, vault: ContentId): boolean {
  if (certificate === null) return false
  const { consistent, trusted } = verifyCertificate(certificate, { trust: { vaults: [vault] } })
  return consistent && trusted
}
