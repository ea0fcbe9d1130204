import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { json, run, type Started, scratch } from './harness.ts'
import { type Served, serve, vaultIn } from './serving.ts'

type Space = Awaited<ReturnType<typeof scratch>>

const ends = (space: Space, { url, key }: Served) => ['--from', space.at('A'), '--to', url, '--peer-key', key]

const denied = (code: string) => ({ error: { code: 'HTTP_NOT_ALLOWED', details: { code } } })

/** A certificate in a file, by a key of one's own. */
async function issue(space: Space, name: string, more: readonly string[]): Promise<string> {
  const words = ['caps', 'issue', space.at('B'), '--place', '--action', 'write', '--out', space.at(name), ...more]
  return (await json<{ id: string }>('vaultctl', words)).id
}

test('a vault moves to a server by a chain of certificates, is stopped by a revocation, and goes on by a new grant', async () => {
  await using space = await scratch()
  const key = await vaultIn(space, 300)
  const keystore = ['--keystore', space.at('keys')]
  const made = await json<{ key: string }>('vaultctl', ['keys', 'new', 'ops', '--no-passphrase', ...keystore])
  const { key: ana } = await json<{ key: string }>('vaultctl', ['keys', 'new', 'ana', '--no-passphrase', ...keystore])
  const served = await serve(space.at('B'), ['--trust', made.key])
  const move = ['run', ...ends(space, served)]
  expect(await json('vault-migrate', move, 1)).toMatchObject(denied('CAPS_NO_ROOT'))
  const by = (name: string) => ['--as', name, ...keystore]
  const first = await issue(space, 'ana.cap', ['--to', ana, '--delegate', ...by('ops')])
  await issue(space, 'place.cap', ['--to', key, '--expires', '1d', ...by('ana')])
  expect(await json('vault-migrate', [...move, '--proof', space.at('place.cap')], 1)).toMatchObject(
    denied('CAPS_NO_ROOT'),
  )
  const chain = ['--proof', space.at('ana.cap'), '--proof', space.at('place.cap')]

  let revoked: Promise<unknown> | undefined
  const started = (child: Started) => {
    child.stderr.on('data', (text) => {
      if (revoked !== undefined || !String(text).includes('copy ')) return
      child.kill('SIGSTOP')
      revoked = json('vaultctl', ['caps', 'revoke', space.at('B'), first, '--place', ...by('ops')]).finally(() =>
        child.kill('SIGCONT'),
      )
    })
  }
  const stopped = await run('vault-migrate', [...move, ...chain, '--json'], { started })
  expect(revoked).toBeDefined()
  await revoked
  expect(JSON.parse(stopped.stdout)).toMatchObject({
    error: { code: 'MIGRATION_NOT_GRANTED', details: { code: 'CAPS_REVOKED' } },
  })
  expect(stopped.code).toBe(4)
  expect(await json('vault-migrate', [...move, ...chain], 1)).toMatchObject(denied('CAPS_REVOKED'))

  await issue(space, 'again.cap', ['--to', ana, '--delegate', ...by('ops')])
  const again = [...chain.slice(2), '--proof', space.at('again.cap')]
  expect(await json('vault-migrate', [...move, ...again])).toMatchObject({ ok: true, state: 'active' })
  expect(await served.stop('SIGTERM')).toBe(0)
  expect(await json('vaultctl', ['status', space.at('B')])).toMatchObject({ state: 'active' })
})

test('a replica is brought up to date and copied by what its vault grants, and nobody asks for a file', async () => {
  await using space = await scratch()
  const key = await vaultIn(space, 5)
  const listed = await serve(space.at('B'), ['--allow', key])
  await json('vault-migrate', ['run', '--no-handoff', ...ends(space, listed)])
  expect(await listed.stop('SIGTERM')).toBe(0)

  await json('vaultctl', ['init', space.at('C'), '--no-passphrase'])
  const { key: puller } = await json<{ key: string }>('vaultctl', ['status', space.at('C')])
  const { vault } = await json<{ vault: string }>('vaultctl', ['status', space.at('A')])
  const served = await serve(space.at('B'), [])
  const pull = ['run', '--no-handoff', '--from', `${served.url}/vaults/${vault}`, '--to', space.at('C')]
  const pulling = [...pull, '--peer-key', served.key]
  expect(await json('vault-migrate', pulling, 1)).toMatchObject(denied('CAPS_NO_CHAIN'))
  const cap = space.at('pull.cap')
  await json('vaultctl', ['caps', 'issue', space.at('A'), '--to', puller, '--action', 'migrate', '--out', cap])
  // It is not there yet, so it is shown; and when it has been brought there, it need not be.
  expect(await json('vault-migrate', ['plan', ...pulling.slice(1), '--proof', cap])).toMatchObject({ ok: true })
  await json('vault-migrate', ['run', '--no-handoff', ...ends(space, served)])
  await served.stop('SIGTERM')
  const anew = await serve(space.at('B'), [])
  const address = [...pull.slice(0, 3), `${anew.url}/vaults/${vault}`, ...pull.slice(4), '--peer-key', anew.key]
  expect(await json('vault-migrate', address)).toMatchObject({ ok: true, state: 'replica' })
  await anew.stop('SIGTERM')

  const lists = await serve(space.at('B'), ['--no-certificates', '--allow', puller])
  expect(await json('vault-migrate', ['run', '--no-handoff', ...ends(space, lists)], 1)).toMatchObject({
    error: { code: 'HTTP_NOT_ALLOWED' },
  })
  expect(await lists.stop('SIGTERM')).toBe(0)
})

test('a certificate that has to be validated lets nobody in but with a validation, which is shown', async () => {
  await using space = await scratch()
  const key = await vaultIn(space, 1)
  const listed = await serve(space.at('B'), ['--allow', key])
  await json('vault-migrate', ['run', '--no-handoff', ...ends(space, listed)])
  expect(await listed.stop('SIGTERM')).toBe(0)
  const keystore = ['--keystore', space.at('keys')]
  await json('vaultctl', ['keys', 'new', 'ana', '--no-passphrase', ...keystore])
  await json('vaultctl', ['init', space.at('C'), '--no-passphrase'])
  const { key: puller } = await json<{ key: string }>('vaultctl', ['status', space.at('C')])
  const [cap, valid] = [space.at('pull.cap'), space.at('pull.valid')]
  const issue = ['caps', 'issue', space.at('A'), '--to', puller, '--action', 'migrate', '--out', cap]
  const named = ['--validated-by', 'ana', '--max-age', '10m', ...keystore]
  const { id } = await json<{ id: string }>('vaultctl', [...issue, ...named])
  const { vault } = await json<{ vault: string }>('vaultctl', ['status', space.at('A')])
  const served = await serve(space.at('B'), [])
  const from = ['--from', `${served.url}/vaults/${vault}`, '--to', space.at('C'), '--peer-key', served.key]
  const plan = ['plan', '--no-handoff', ...from, '--proof', cap]
  expect(await json('vault-migrate', plan, 1)).toMatchObject(denied('CAPS_NOT_VALIDATED'))
  const validate = ['caps', 'validate', space.at('A'), id, '--as', 'ana', '--for', '10m', '--out', valid, ...keystore]
  await json('vaultctl', validate)
  expect(await json('vault-migrate', [...plan, '--proof', valid])).toMatchObject({ ok: true })
  expect(await served.stop('SIGTERM')).toBe(0)
})

test('whoever is called so brings a vault by a grant to a name of the place, until that is taken back', async () => {
  await using space = await scratch()
  const key = await vaultIn(space, 3)
  const served = await serve(space.at('B'), [])
  await issue(space, 'movers.cap', ['--to', 'place/movers'])
  const name = ['caps', 'name', space.at('B'), 'movers', '--place', '--to', key]
  expect(await json('vaultctl', name, 2)).toMatchObject({ error: { code: 'USAGE' } })
  const { id } = await json<{ id: string }>('vaultctl', [...name, '--out', space.at('mine.cap')])
  const plan = ['plan', ...ends(space, served), '--proof', space.at('movers.cap')]
  expect((await run('vault-migrate', plan)).code).toBe(1)
  const both = [...plan, '--proof', space.at('mine.cap')]
  expect(await json('vault-migrate', both)).toMatchObject({ ok: true })
  await json('vaultctl', ['caps', 'revoke', space.at('B'), id, '--place'])
  expect(await json('vault-migrate', both, 1)).toMatchObject(denied('CAPS_REVOKED'))
  expect(await served.stop('SIGTERM')).toBe(0)
})

test('what no certificate of a place is', async () => {
  await using space = await scratch()
  const key = await vaultIn(space, 1)
  const usage = { error: { code: 'USAGE' } }
  const words = ['caps', 'issue', space.at('A'), '--place', '--to', key]
  const out = ['--out', space.at('x.cap')]
  expect(await json('vaultctl', [...words, '--action', 'migrate', ...out], 2)).toMatchObject(usage)
  expect(await json('vaultctl', [...words, '--action', 'write'], 2)).toMatchObject(usage)
  expect(await json('vaultctl', [...words, '--action', 'write', ...out, '--object', 'docs'], 2)).toMatchObject(usage)
  expect(await json('vaultctl', ['caps', 'revoke', space.at('A'), 'x', '--place'], 2)).toMatchObject(usage)
  await writeFile(space.at('no.cap'), 'no certificate')
  const move = ['run', '--from', space.at('A'), '--to', 'https://127.0.0.1:1', '--peer-key', key]
  expect(await json('vault-migrate', [...move, '--proof', space.at('no.cap')], 2)).toMatchObject(usage)
  const serving = ['serve', space.at('B'), '--no-passphrase', '--no-certificates', '--trust', key]
  expect(await json('vaultctl', serving, 2)).toMatchObject(usage)
})
