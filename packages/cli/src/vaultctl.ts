import { vaultctlProgram } from './vaultctl-program.ts'

/** Runs `vaultctl` with these arguments and gives its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  return await vaultctlProgram(process).run(argv)
}
