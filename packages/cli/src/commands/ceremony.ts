import type { Command } from 'commander'
import type { Program } from '../program.ts'
import { addCeremonyCommit } from './ceremony-commit.ts'
import { addCeremonyJoin } from './ceremony-join.ts'
import { addCeremonyPlan } from './ceremony-plan.ts'
import { addCeremonyStatus, addCeremonyVerify } from './ceremony-status.ts'

/** The program, and the command under which those of ceremonies stand. */
export interface CeremonyProgram extends Pick<Program, 'action'> {
  readonly ceremony: Command
}

export function addCeremony({ command, action }: Program): void {
  const ceremony = command
    .command('ceremony')
    .description('found a vault, replace its keys, or split a key, by several people together')
  for (const add of [addCeremonyPlan, addCeremonyJoin, addCeremonyStatus, addCeremonyCommit, addCeremonyVerify])
    add({ ceremony, action })
}
