import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Authorize, Clock, KeyId, Signer, VaultId } from '@vault/core'
import { createSigner, generateSecretKey, systemRandom } from '@vault/core'
import { createVault, moveSourceOf, openKey, openVault, owner, type SeatOptions, type Vault } from '@vault/embedded'
import { type MoveState, moveVault, type ProvingTarget, planMigration } from '@vault/migration'
import { type HttpOptions, type HttpTarget, httpTarget } from '@vault/migration/http'
import { allowedKeys, type MoveDestination, type ServerLimits, startServer, type VaultServer } from '../src/index.ts'

/** A folder that is taken away at the end of the scope. */
export async function scratch(): Promise<{ readonly at: (name: string) => string } & AsyncDisposable> {
  const dir = await mkdtemp(join(tmpdir(), 'vault-server-'))
  return {
    at: (name) => join(dir, name),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  }
}

export function anyKey(): Signer {
  return createSigner(generateSecretKey(systemRandom))
}

/** A vault with so many small files, open, and the key of its place. */
export async function vaultIn(dir: string, files: number): Promise<{ readonly vault: Vault; readonly place: Signer }> {
  await createVault(dir, { passphrase: undefined })
  const tree = `${dir}-tree`
  await mkdir(tree)
  const paths = Array.from({ length: files }, (_, i) => join(tree, `f${i}`))
  for (const [i, path] of paths.entries()) await writeFile(path, `content ${i}`.repeat(i + 1))
  const vault = await openVault(dir)
  for await (const _ of vault.putFiles(paths));
  const { place } = vault
  return { vault, place: await openKey({ dir: place.dir, role: 'place', key: place.info.key }) }
}

export function serve(
  dir: string,
  options: {
    readonly allow?: readonly KeyId[]
    readonly parts?: readonly KeyId[]
    readonly moves?: readonly KeyId[]
    readonly moveTo?: readonly MoveDestination[]
    readonly authorize?: Authorize
    readonly certificates?: { readonly trust?: readonly KeyId[] }
    readonly limits?: Partial<ServerLimits>
    readonly failed?: (error: unknown) => void
    readonly clock?: Clock
    readonly port?: number
    readonly bytesPerSecond?: number
    readonly seat?: SeatOptions
  },
): Promise<VaultServer> {
  const { allow = [], parts = [], moves = [], ...rest } = options
  return startServer({ dir, authorize: allowedKeys(allow, { parts, moves }), ...rest })
}

/** Short, because nothing is far away. */
export const SHORT: NonNullable<HttpOptions['timeouts']> = { connect: 1_000, idle: 2_000, patience: 1_500 }

export function reach(
  { url, key }: { readonly url: string; readonly key: KeyId },
  place: Signer,
  vault: VaultId,
  options: Partial<HttpOptions> = {},
): Promise<HttpTarget> {
  return httpTarget(url, { vault, place, peerKey: key, timeouts: SHORT, ...options })
}

/** Moves a vault to its end. */
export async function moveTo(vault: Vault, target: ProvingTarget): Promise<MoveState> {
  const parts = { source: await moveSourceOf(vault), target, authorize: owner }
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  for await (const event of moveVault(plan, parts)) if (event.type === 'moved') return event.state
  throw new Error('The move ended without a word.')
}
