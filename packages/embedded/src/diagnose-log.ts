import { type AbortOptions, systemClock, type VaultError } from '@vault/core'
import { compareStanding } from './check-standing.ts'
import { currentTenure } from './current-tenure.ts'
import type { Check } from './diagnosis.ts'
import type { Marks } from './marks.ts'
import type { Place } from './place.ts'
import { isDamageError } from './survey.ts'
import { VaultLog } from './vault-log.ts'

/** The head of the audit log, and the vault against how far it was seen to be. */
export async function diagnoseLog(
  place: Place,
  marks: Marks | undefined,
  options: AbortOptions,
): Promise<readonly Check[]> {
  const { dir, soups } = place
  const vault = (await currentTenure(soups))?.vault
  if (vault === undefined) return []
  const log = new VaultLog({ vault, dir, soups, clock: systemClock, writable: false })
  try {
    const trail = await log.read(options)
    const { findings } = await compareStanding({ vault, dir, soups, log, marks }, { mode: 'read' }, options)
    if (findings.length > 0) return findings.map((finding) => older(place, finding))
    const waiting = (await soups.soup(vault).queued({ limit: 1 }, options)).length > 0
    const rest = waiting ? ' Some more wait to be written by the next command that changes the vault.' : ''
    const mark = marks === undefined ? '' : ' The vault is as far as it was ever seen to be on this machine.'
    return [
      { name: 'log', ok: true, message: `The audit log has ${trail.size} entries under a signed head.${rest}${mark}` },
    ]
  } catch (error) {
    if (!isDamageError(error)) throw error
    return [damaged(place, error)]
  }
}

function older({ dir }: Place, { code, message }: { readonly code: string; readonly message: string }): Check {
  const what =
    code === 'AUDIT_FORK'
      ? 'The vault has another history than it had here before.'
      : 'The vault, or its log, is older than it was here before: an old copy was put back, or files are gone.'
  return {
    name: 'log',
    ok: false,
    lost: 'old',
    message: `${what} ${message}`,
    advice: `Find the newer copy and put it back. If files of log/ were lost: vaultctl verify ${dir} --repair --from ANOTHER-PLACE. If this is a backup that was put back on purpose: vaultctl restore-from-backup ${dir}`,
  }
}

function damaged({ dir }: Place, { code, message, details }: VaultError): Check {
  if (code === 'AUDIT_MARK_DAMAGED') {
    return {
      name: 'log',
      ok: false,
      lost: 'no',
      message,
      advice: `vaultctl verify ${dir}, and if that is sound: rm ${String(details.file)}`,
    }
  }
  return {
    name: 'log',
    ok: false,
    lost: 'no',
    message: `The audit log is damaged: ${message} Contents are not touched by this; changes are refused until it is healed.`,
    advice: `vaultctl verify ${dir} --repair, and where that is not enough: --from ANOTHER-PLACE, such as a backup or a place that has the log too`,
  }
}
