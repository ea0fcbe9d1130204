import { addCaps } from './commands/caps.ts'
import { addCeremony } from './commands/ceremony.ts'
import { addCheckStore } from './commands/check-store.ts'
import { addComplete } from './commands/complete.ts'
import { addDoctor } from './commands/doctor.ts'
import { addExport } from './commands/export.ts'
import { addFind } from './commands/find.ts'
import { addGet } from './commands/get.ts'
import { addImport } from './commands/import.ts'
import { addInit } from './commands/init.ts'
import { addKeys } from './commands/keys.ts'
import { addLog } from './commands/log.ts'
import { addLs } from './commands/ls.ts'
import { addPut } from './commands/put.ts'
import { addReclaim } from './commands/reclaim.ts'
import { addRestoreFromBackup } from './commands/restore-from-backup.ts'
import { addRm } from './commands/rm.ts'
import { addRoot } from './commands/root.ts'
import { addServe } from './commands/serve.ts'
import { addStatus } from './commands/status.ts'
import { addVerify } from './commands/verify.ts'
import type { Streams } from './output.ts'
import { createProgram, type Program } from './program.ts'

/** `vaultctl` with all of its commands. */
export function vaultctlProgram(streams: Streams): Program {
  const program = createProgram('vaultctl', 'Keep files in a verifiable vault.', streams)
  for (const add of [
    addInit,
    addPut,
    addGet,
    addLs,
    addFind,
    addRm,
    addRoot,
    addReclaim,
    addVerify,
    addDoctor,
    addStatus,
    addLog,
    addKeys,
    addCeremony,
    addCaps,
    addExport,
    addImport,
    addRestoreFromBackup,
    addCheckStore,
    addServe,
    addComplete,
  ])
    add(program)
  return program
}
