import type { KeyState, Roles } from '@vault/core'
import { EXIT } from '../exit-code.ts'
import { addReadOptions, openVaultAt, type ReadOptions } from '../open-vault.ts'
import type { KeysProgram } from './keys.ts'

export function addKeysHistory({ keys, action }: KeysProgram): void {
  const command = keys
    .command('history <dir>')
    .description('say which keys a vault had and has, and how each came to be')
    .addHelpText('after', '\nExample:\n  vaultctl keys history ~/vault')
  addReadOptions(command)
  action<[string, ReadOptions]>(command, async ({ output, signal }, dir, options) => {
    await using vault = await openVaultAt(dir, { ...options, output }, { mode: 'read', signal })
    const { events } = await vault.keys({ signal })
    const shown = events.map(plainEvent)
    await output.result({ ok: true, vault: vault.id, events: shown }, shown.map(describe).join('\n'))
    return EXIT.ok
  })
}

interface PlainEvent {
  readonly sequence: number
  readonly why: string
  readonly at: string
  readonly roles: Roles
  readonly migration?: string
  readonly instance?: string
}

function plainEvent(event: KeyState['events'][number]): PlainEvent {
  const { seq, why, at, roles } = event
  const context = why === 'inception' ? undefined : event.context
  return { sequence: seq, why, at: timeOf(at), roles, ...context }
}

function describe({ sequence, why, at, roles, migration, instance }: PlainEvent): string {
  const move = migration === undefined ? '' : `, migration ${migration} to the place ${instance}`
  const names = ['identity', 'operators', 'log'] as const
  return [
    `${sequence}  ${why}, ${at}${move}`,
    ...names.map((name) => {
      const { keys, threshold } = roles[name]
      return `   ${name.padEnd(9)} ${threshold} of ${keys.length}: ${keys.join(', ')}`
    }),
  ].join('\n')
}

/** A claim of who signed: a number that no date has is shown as it is. */
function timeOf(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `second ${seconds}` : date.toISOString().replace('.000Z', 'Z')
}
