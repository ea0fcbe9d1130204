import { cp, readdir } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ACTIONS } from '../src/caps-options.ts'
import { commandTree } from '../src/completion/command-tree.ts'
import { vaultMigrateProgram } from '../src/vault-migrate-program.ts'
import { vaultctlProgram } from '../src/vaultctl-program.ts'
import { scratch } from './harness.ts'

/** Commands that open no vault, or do what whoever has the folder may do with it. */
const FREE: Readonly<Record<string, string>> = {
  init: 'makes a vault',
  complete: 'knows no vault',
  'check-store': 'tries out a disk',
  serve: 'serves a place, and asks for every request',
  'keys list': 'your own keys',
  'keys new': 'your own keys',
  'keys trust': 'your own keys',
  'keys export': 'your own keys',
  'keys import': 'your own keys',
  'keys split': 'your own keys',
  'keys recover': 'your own keys',
  'ceremony plan': 'proposes, and changes nothing of the vault',
  'ceremony join': 'what is signed by itself',
  'ceremony status': 'knows no vault',
  'ceremony verify': 'knows no vault',
  'caps demo': 'knows no vault',
  'caps mandate': 'what the operators sign; --as is refused',
  'caps publish': 'what the operators sign; --as is refused',
  'verify-cert': 'knows no vault',
  'show-cert': 'knows no vault',
}

/** What a command asks: the actions that are enough for it, and by which words it is tried. */
interface Asked {
  readonly verb: string
  readonly actions: readonly string[]
  readonly words: readonly string[]
  /** How it ends when it is granted. Default 0; `tried`: it finds nothing to do here, and was not refused. */
  readonly ends?: 'tried'
}

const asked = (verb: string, actions: string, words: string, ends?: 'tried'): Asked => ({
  verb,
  actions: actions.split(' '),
  words: words.split(' '),
  ...(ends && { ends }),
})

/** In an order in which each finds what it needs. */
const VAULTCTL: readonly Asked[] = [
  asked('put', 'write', 'A docs/b'),
  asked('get', 'read', 'A docs/a -o out'),
  asked('ls', 'read', 'A docs'),
  asked('find', 'read', 'A'),
  asked('root', 'read', 'A'),
  asked('status', 'read', 'A'),
  asked('doctor', 'read', 'A'),
  asked('verify', 'read', 'A'),
  asked('verify', 'repair read', 'A --repair'),
  asked('verify', 'repair read', 'A --repair --from R'),
  asked('log', 'audit', 'A --query verb=put'),
  asked('log', 'audit', 'A --verify'),
  asked('export', 'export', 'A docs/a -o out.car'),
  asked('import', 'write', 'A in.car --name came'),
  asked('rm', 'write', 'A docs/b'),
  asked('reclaim', 'reclaim', 'A --dry-run'),
  asked('reclaim', 'reclaim', 'A --max-unused 0'),
  asked('keys history', 'read', 'A'),
  asked('ceremony commit', 'rotate-keys', 'C --to A'),
  asked('keys rotate', 'rotate-keys', 'A --role log'),
  asked('keys retire', 'rotate-keys', 'A --confirm none', 'tried'),
  asked('caps explain', 'read', 'A --for mallory --do read', 'tried'),
  asked('caps show', 'read', 'A'),
  asked('caps tree', 'read', 'A'),
  asked('caps who-can', 'read', 'A --do read'),
  asked('caps what-can', 'read', 'A --for mallory'),
  asked('caps diff', 'read', 'A A'),
  // Whoever holds something grants it on, and takes back what it issued.
  asked('caps issue', 'read', 'A --to mallory --action read --object docs --expires 1d'),
  asked('caps attenuate', 'read', 'A CERTIFICATE --to ben'),
  asked('caps name', 'read', 'A friends --to ben'),
  asked('caps revoke', 'read', 'A ISSUED'),
  // Whoever a certificate names says that it is still good.
  asked('caps validate', 'read', 'A VALIDATED --for 10m'),
  asked('caps approve', 'approve', 'A ISSUED'),
  asked('restore-from-backup', 'restore', 'R --without-mark'),
]

const VAULT_MIGRATE: readonly Asked[] = [
  asked('plan', 'migrate write', '--from A --to B'),
  asked('run', 'migrate write', '--from A --to B --dry-run'),
  asked('run', 'migrate write', '--from A --to B --no-handoff'),
  asked('run', 'migrate write', '--from A --to A2 --kind partial --where key~path:docs/*'),
  asked('verify', 'migrate write', '--from A --to B'),
  asked('status', 'read', 'A'),
  asked('diff', 'read', '--from A --to A'),
  asked('rehearse', 'migrate write', '--from A'),
  asked('pause', 'migrate', 'A', 'tried'),
  asked('resume', 'migrate write', '--from A --to M', 'tried'),
  asked('rollback', 'migrate write read', '--from A --to M', 'tried'),
  asked('recover', 'recover', 'A --reason gone', 'tried'),
  asked('certificate', 'read', 'A -o moved.cert', 'tried'),
  asked('run', 'migrate write', '--from A --to M --no-to-passphrase'),
]

const PROGRAMS = { vaultctl: vaultctlProgram, 'vault-migrate': vaultMigrateProgram }
type Name = keyof typeof PROGRAMS

/** Runs a command in this process, and gives its exit code and its result. */
async function call(name: Name, words: readonly string[]): Promise<{ code: number; result: Record<string, unknown> }> {
  const said: string[] = []
  const stream = (keep: boolean) =>
    new Writable({
      write(chunk, _, done) {
        if (keep) said.push(String(chunk))
        done()
      },
    })
  const code = await PROGRAMS[name]({ stdout: stream(true), stderr: stream(false) }).run([...words, '--json'])
  return { code, result: JSON.parse(said.join('')) }
}

async function done(name: Name, words: readonly string[]): Promise<Record<string, unknown>> {
  const { code, result } = await call(name, words)
  expect([words.join(' '), code, result.error]).toEqual([words.join(' '), 0, undefined])
  return result
}

/** The names of all commands that do something. */
function verbsOf(name: Name): readonly string[] {
  const stream = new Writable()
  const tree = commandTree(PROGRAMS[name]({ stdout: stream, stderr: stream }).command)
  return tree.filter(({ commands, path }) => commands.length === 0 && path.length > 0).map(({ path }) => path.join(' '))
}

describe('every command asks for leave', () => {
  let space: Awaited<ReturnType<typeof scratch>>
  const before = { dir: process.cwd(), env: { ...process.env } }
  const ids = new Map<string, string>()
  const actions = [...new Set([...VAULTCTL, ...VAULT_MIGRATE].flatMap((each) => each.actions))]

  beforeAll(async () => {
    space = await scratch()
    process.env.VAULT_KEYSTORE = space.at('keystore')
    process.env.VAULT_STATE_DIR = space.at('state')
    const ctl = (...words: string[]) => done('vaultctl', words)
    for (const key of ['mallory', 'ben', 'tom', ...actions.map((action) => `can-${action}`)])
      await ctl('keys', 'new', key, '--no-passphrase')
    // `put` names files by their paths, so the commands run where they lie.
    process.chdir(space.dir)
    await ctl('init', 'A', '--no-passphrase')
    for (const file of ['docs/a', 'docs/b']) {
      await cp(new URL(import.meta.url), space.at(file), { recursive: true })
    }
    await ctl('put', 'A', 'docs/a')
    await ctl('export', 'A', 'docs/a', '-o', 'in.car')
    for (const action of actions) {
      const { id } = await ctl(
        ...['caps', 'issue', 'A', '--to', `can-${action}`, '--action', action, '--delegate', '--expires', '1d'],
      )
      ids.set(action, id as string)
    }
    const { id } = await ctl(
      ...['caps', 'issue', 'A', '--to', 'ben', '--action', 'read', '--validated-by', 'can-read', '--max-age', '10m'],
    )
    ids.set('validated', id as string)
    await ctl('ceremony', 'plan', 'A', '--out', 'C', '--as', 'tom', '--operators', 'tom')
    await ctl('ceremony', 'join', 'C', '--vault', 'A')
    await ctl('ceremony', 'join', 'C', '--as', 'tom')
    await cp(space.at('A'), space.at('R'), { recursive: true })
    await ctl('init', 'A2', '--no-passphrase')
    await ctl('caps', 'issue', 'A2', '--to', 'can-write', '--action', 'write')
  }, 120_000)

  afterAll(async () => {
    process.chdir(before.dir)
    Object.assign(process.env, before.env)
    await space[Symbol.asyncDispose]()
  })

  const named: Readonly<Record<string, string>> = { CERTIFICATE: 'read', ISSUED: 'issued', VALIDATED: 'validated' }
  const filled = (words: readonly string[]) => words.map((word) => ids.get(named[word] ?? '') ?? word)
  const state = async () => ({
    status: (await call('vaultctl', ['status', 'A'])).result,
    roots: (await call('vaultctl', ['root', 'A'])).result,
    moves: (await call('vault-migrate', ['status', 'A'])).result,
    files: await readdir(space.dir),
    // Not even bytes that nothing names.
    objects: await readdir(space.at('A', 'objects'), { recursive: true }),
  })

  for (const [name, table] of [
    ['vaultctl', VAULTCTL],
    ['vault-migrate', VAULT_MIGRATE],
  ] as const) {
    test(`${name}: each is in the table`, () => {
      const answered = new Set([...table.map(({ verb }) => verb), ...Object.keys(FREE)])
      expect(verbsOf(name).filter((verb) => !answered.has(verb))).toEqual([])
    })
  }

  test('what they ask for is what is known to be asked for', () => {
    expect(actions.filter((action) => !ACTIONS.includes(action))).toEqual([])
  })

  test('of a stranger nothing is taken, and nothing changes', async () => {
    ids.set('issued', ids.get('read') as string)
    const untouched = await state()
    for (const [name, table] of [
      ['vaultctl', VAULTCTL],
      ['vault-migrate', VAULT_MIGRATE],
    ] as const) {
      for (const { verb, words } of table) {
        const line = [...verb.split(' '), ...filled(words)]
        const { code, result } = await call(name, [...line, '--as', 'mallory'])
        expect([line.join(' '), code, result]).toMatchObject([line.join(' '), 1, { error: { code: 'CAPS_DENIED' } }])
      }
    }
    expect(await state()).toEqual(untouched)
  })

  test('who was granted just what it asks can', async () => {
    for (const [name, table] of [
      ['vaultctl', VAULTCTL],
      ['vault-migrate', VAULT_MIGRATE],
    ] as const) {
      for (const { verb, words, ends, actions: needed } of table) {
        const line = [...verb.split(' '), ...filled(words)]
        const as = needed.flatMap((action) => ['--as', `can-${action}`])
        const { code, result } = await call(name, [...line, ...as])
        if (verb === 'caps issue') ids.set('issued', result.id as string)
        const { error } = result as { error?: { code: string; message: string } }
        if (ends === 'tried') expect(`${line.join(' ')}: ${error?.code} ${error?.message}`).not.toMatch(/CAPS_DENIED/)
        else expect([line.join(' '), code, error?.message]).toEqual([line.join(' '), 0, undefined])
      }
    }
  })
})
