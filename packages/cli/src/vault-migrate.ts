import { addComplete } from './commands/complete.ts'
import { addCertificate, addShowCertificate, addVerifyCertificate } from './commands/migrate-certificate.ts'
import { addPause } from './commands/migrate-pause.ts'
import { addPlan } from './commands/migrate-plan.ts'
import { addRecover } from './commands/migrate-recover.ts'
import { addResume, addRollback } from './commands/migrate-resume.ts'
import { addRun } from './commands/migrate-run.ts'
import { addMigrateStatus } from './commands/migrate-status.ts'
import { addVerifyMigration } from './commands/migrate-verify.ts'
import { createProgram } from './program.ts'

/** Runs `vault-migrate` with these arguments and gives its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const program = createProgram('vault-migrate', 'Move a vault to another place and verify it there.', process)
  for (const add of [
    addPlan,
    addRun,
    addResume,
    addPause,
    addMigrateStatus,
    addVerifyMigration,
    addRollback,
    addRecover,
    addVerifyCertificate,
    addShowCertificate,
    addCertificate,
    addComplete,
  ])
    add(program)
  return await program.run(argv)
}
