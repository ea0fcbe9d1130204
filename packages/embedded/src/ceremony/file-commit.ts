import { type Clock, systemClock } from '@vault/core'
import { type Ceremony, COMMIT_FILE, checkUntouched, commitCeremony } from '@vault/spki-caps/ceremony'
import type { CeremonyFolder } from './ceremony-folder.ts'

/**
 * Commits a ceremony to which all has been given: until then everything is as it was before. Done again it changes nothing. Throws
 * `CEREMONY_INCOMPLETE`, `CEREMONY_REFUSED`, `CEREMONY_EXPIRED`, and what the folder throws.
 */
export async function fileCommit(folder: CeremonyFolder, clock: Clock = systemClock): Promise<Ceremony> {
  const before = await folder.read()
  checkUntouched(before)
  if (before.commit === undefined) await folder.file(COMMIT_FILE, commitCeremony(before, clock()).bytes)
  return await folder.read()
}
