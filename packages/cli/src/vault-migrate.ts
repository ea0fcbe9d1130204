import { vaultMigrateProgram } from './vault-migrate-program.ts'

/** Runs `vault-migrate` with these arguments and gives its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  return await vaultMigrateProgram(process).run(argv)
}
