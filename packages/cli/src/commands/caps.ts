import type { Command } from 'commander'
import type { Program } from '../program.ts'
import { addCapsApprove } from './caps-approve.ts'
import { addCapsAttenuate } from './caps-attenuate.ts'
import { addCapsDemo } from './caps-demo.ts'
import { addCapsDiff } from './caps-diff.ts'
import { addCapsExplain } from './caps-explain.ts'
import { addCapsIssue } from './caps-issue.ts'
import { addCapsMandate } from './caps-mandate.ts'
import { addCapsName } from './caps-name.ts'
import { addCapsPublish } from './caps-publish.ts'
import { addCapsRevoke } from './caps-revoke.ts'
import { addCapsShow } from './caps-show.ts'
import { addCapsTree } from './caps-tree.ts'
import { addCapsValidate } from './caps-validate.ts'
import { addCapsWhatCan } from './caps-what-can.ts'
import { addCapsWhoCan } from './caps-who-can.ts'

/** The program, and the command under which those of capabilities stand. */
export interface CapsProgram extends Pick<Program, 'action'> {
  readonly caps: Command
}

export function addCaps({ command, action }: Program): void {
  const caps = command.command('caps').description('who may do what with a vault: grant it, explain it, take it back')
  for (const add of [
    addCapsIssue,
    addCapsAttenuate,
    addCapsName,
    addCapsRevoke,
    addCapsPublish,
    addCapsValidate,
    addCapsMandate,
    addCapsApprove,
    addCapsExplain,
    addCapsShow,
    addCapsTree,
    addCapsWhoCan,
    addCapsWhatCan,
    addCapsDiff,
    addCapsDemo,
  ])
    add({ caps, action })
}
