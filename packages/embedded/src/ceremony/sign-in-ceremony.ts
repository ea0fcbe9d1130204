import {
  type Bytes,
  type Clock,
  decode,
  type Envelope,
  equalBytes,
  isVaultError,
  type KeyEvent,
  type KeyId,
  type Random,
  type Signer,
  VaultError,
} from '@vault/core'
import { type CeremonyErrorCode, createPlan, type Software } from '@vault/spki-caps/ceremony'
import type { AdoptCeremonyErrorCode } from './adopt-ceremony.ts'
import { CeremonyFolder, type CeremonyFolderErrorCode } from './ceremony-folder.ts'
import { fileCommit } from './file-commit.ts'

/** Where members of a vault's identity sign who are elsewhere. */
export interface SigningCeremony {
  /** Its folder, made where it is not there yet. */
  readonly dir: string
  readonly software: Software
  /** What people call these keys. */
  readonly names?: ReadonlyMap<KeyId, string>
}

/** The key event of a move, and who begins the ceremony about it. */
interface MoveEvent {
  readonly payload: Bytes
  /** All key events before it. */
  readonly history: readonly Bytes[]
  readonly proposer: Signer
  readonly clock: Clock
  readonly random: Random
}

// A month, in milliseconds: people have to be found.
const PATIENCE = 30 * 24 * 60 * 60 * 1000

/**
 * The key event of a move with the signatures of the identity, from a ceremony that is begun here, or was. Throws `CEREMONY_INCOMPLETE`
 * as long as too few have joined it, `CEREMONY_OTHER_VAULT` where the folder is about another event, and what the folder throws.
 */
export async function signInCeremony(
  { dir, software, names = new Map() }: SigningCeremony,
  { payload, history, proposer, clock, random }: MoveEvent,
): Promise<Envelope> {
  const { roles, context, at } = decode(payload) as unknown as Required<KeyEvent>
  const now = new Date(at * 1000)
  const change = { history, why: 'migrate', roles, context } as const
  const draft = { change, names, software, now, expires: new Date(clock().getTime() + PATIENCE), random }
  await CeremonyFolder.create(dir, await createPlan(draft, proposer)).catch((error: unknown) => {
    if (!isVaultError(error, 'CEREMONY_EXISTS' satisfies CeremonyFolderErrorCode)) throw error
  })
  const folder = new CeremonyFolder(dir)
  const { event } = await folder.read()
  if (event === undefined || !equalBytes(event.payload, payload)) throw otherEvent(dir, event?.vault)
  const { commit } = await fileCommit(folder, clock).catch((error: unknown) => {
    throw isVaultError(error, 'CEREMONY_INCOMPLETE') ? waiting(dir, error) : error
  })
  return commit?.keyEvent as Envelope
}

function waiting(dir: string, error: VaultError): VaultError<CeremonyErrorCode> {
  return new VaultError({
    code: 'CEREMONY_INCOMPLETE',
    message: `The identity of the vault has yet to sign that it moves. Each of its holders runs "vaultctl ceremony join ${dir} --as NAME"; then resume the migration. ${error.message}`,
    details: { ...error.details, dir },
    cause: error,
  })
}

function otherEvent(dir: string, vault: string | undefined): VaultError<AdoptCeremonyErrorCode> {
  return new VaultError({
    code: 'CEREMONY_OTHER_VAULT',
    message: `The ceremony in ${dir} is not about this move: name another folder for it.`,
    details: { vault: vault ?? null },
  })
}
