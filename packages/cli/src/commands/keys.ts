import type { Command } from 'commander'
import type { Program } from '../program.ts'
import { addKeysExport } from './keys-export.ts'
import { addKeysHistory } from './keys-history.ts'
import { addKeysImport } from './keys-import.ts'
import { addKeysList } from './keys-list.ts'
import { addKeysNew } from './keys-new.ts'
import { addKeysRecover } from './keys-recover.ts'
import { addKeysRetire } from './keys-retire.ts'
import { addKeysRotate } from './keys-rotate.ts'
import { addKeysSplit } from './keys-split.ts'
import { addKeysTrust } from './keys-trust.ts'

/** The program, and the command under which those of keys stand. */
export interface KeysProgram extends Pick<Program, 'action'> {
  readonly keys: Command
}

export function addKeys({ command, action }: Program): void {
  const keys = command.command('keys').description('your own keys, those that you trust, and the keys of a vault')
  for (const add of [
    addKeysNew,
    addKeysList,
    addKeysExport,
    addKeysImport,
    addKeysTrust,
    addKeysSplit,
    addKeysRecover,
    addKeysHistory,
    addKeysRotate,
    addKeysRetire,
  ])
    add({ keys, action })
}
