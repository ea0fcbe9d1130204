import { expect } from 'vitest'
import { type Program, runProgram } from '../torture/run-program.ts'

/** What a command says that has to end well. */
export async function expectCommand(
  cwd: string,
  program: Program,
  ...args: readonly string[]
): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runProgram(cwd, program, args)
  expect(code, `${program} ${args.join(' ')}: ${stderr}`).toBe(0)
  return JSON.parse(stdout) as Record<string, unknown>
}
