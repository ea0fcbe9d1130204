import { openVaultAt, type StateOptions } from './open-vault.ts'
import type { Run } from './program.ts'

/** Opens the vault in a folder, by which it is kept in mind how far that is: an older copy of it is known as one. */
export async function rememberPlace(
  dir: string,
  options: StateOptions,
  { output, signal }: Pick<Run, 'output' | 'signal'>,
): Promise<void> {
  await using _ = await openVaultAt(dir, { ...options, as: [], output }, { mode: 'read', signal })
}
