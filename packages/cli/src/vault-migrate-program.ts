import { addComplete } from './commands/complete.ts'
import { addCertificate, addShowCertificate, addVerifyCertificate } from './commands/migrate-certificate.ts'
import { addDiff } from './commands/migrate-diff.ts'
import { addPause } from './commands/migrate-pause.ts'
import { addPlan } from './commands/migrate-plan.ts'
import { addRecover } from './commands/migrate-recover.ts'
import { addRehearse } from './commands/migrate-rehearse.ts'
import { addResume, addRollback } from './commands/migrate-resume.ts'
import { addRun } from './commands/migrate-run.ts'
import { addMigrateStatus } from './commands/migrate-status.ts'
import { addVerifyMigration } from './commands/migrate-verify.ts'
import type { Streams } from './output.ts'
import { createProgram, type Program } from './program.ts'

/** `vault-migrate` with all of its commands. */
export function vaultMigrateProgram(streams: Streams): Program {
  const program = createProgram('vault-migrate', 'Move a vault to another place and verify it there.', streams)
  for (const add of [
    addPlan,
    addRun,
    addRehearse,
    addResume,
    addPause,
    addMigrateStatus,
    addVerifyMigration,
    addDiff,
    addRollback,
    addRecover,
    addVerifyCertificate,
    addShowCertificate,
    addCertificate,
    addComplete,
  ])
    add(program)
  return program
}
