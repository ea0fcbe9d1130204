import { readdir, rm } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { between, prepared } from './between.ts'
import { json, run, type Started, scratch } from './harness.ts'
import { serve, vaultIn } from './serving.ts'

interface Status {
  readonly state: string
  readonly migrations: readonly { readonly phase: string; readonly steps: readonly { readonly status: string }[] }[]
}

/** Ends the process when a step of this name begins. */
const atStep = (step: string, signal: NodeJS.Signals) => ({
  started: (child: Started) => {
    let seen = ''
    child.stderr.on('data', (text) => {
      seen += text
      if (new RegExp(`^${step} `, 'm').test(seen)) child.kill(signal)
    })
  },
})

const statusOf = (dir: string) => json<Status>('vault-migrate', ['status', dir])

test('a server that is gone keeps no vault; when it comes back, the next move to it cleans it', async () => {
  await using space = await scratch()
  const key = await vaultIn(space, 30)
  const served = await serve(space.at('B'), ['--allow', key])
  const ends = ['--from', space.at('A'), '--to', served.url, '--peer-key', served.key, '--timeout', '2']
  await run('vault-migrate', ['run', ...ends], atStep('prepare', 'SIGKILL'))
  await served.stop('SIGKILL')
  const away = await run('vault-migrate', ['rollback', ...ends, '--json'])
  expect(away.code, away.stderr).toBe(4)
  expect(away.stderr).toContain('"--without-target" gives the migration up')
  for (const more of [['--bring-newer'], ['--certificate', space.at('x')]])
    expect(await json('vault-migrate', ['rollback', ...ends, '--without-target', ...more], 2)).toMatchObject({
      error: { code: 'USAGE' },
    })
  const given = await run('vault-migrate', ['rollback', ...ends, '--without-target'])
  expect(given.code, given.stderr).toBe(0)
  expect(given.stdout).toMatch(
    /^Given up without https.*active in .*\nWhat had reached .*vault-migrate rollback --migration/,
  )
  const again = await json('vault-migrate', ['rollback', ...ends, '--without-target'])
  const gone = { phase: 'rolled-back', left_at_target: true, reason: 'the target is gone' }
  expect(again).toMatchObject({ ...gone, already: true })
  expect(await json('vaultctl', ['put', space.at('A'), 'f0'], 0, { cwd: space.at('tree') })).toMatchObject({ ok: true })
  const { state, migrations } = await statusOf(space.at('A'))
  expect(state).toBe('active')
  expect(migrations).toMatchObject([{ phase: 'rolled-back' }])
  expect(migrations[0]?.steps.map(({ status }) => status)).toEqual(['done', 'done', 'next'])

  const back = await serve(space.at('B'), ['--allow', key], { port: Number(new URL(served.url).port) })
  expect(await json('vault-migrate', ['run', ...ends])).toMatchObject({ phase: 'complete' })
  expect(await back.stop('SIGTERM')).toBe(0)
  expect((await statusOf(space.at('A'))).state).toBe('retired')
  expect((await statusOf(space.at('B'))).state).toBe('active')
})

test('nor a folder that is gone', async () => {
  await using space = await scratch()
  await vaultIn(space, 3)
  const ends = ['--from', space.at('A'), '--to', space.at('B'), '--no-to-passphrase']
  await run('vault-migrate', ['run', ...ends], atStep('verify', 'SIGKILL'))
  const planned = await run('vault-migrate', ['plan', '--from', space.at('A'), '--to', space.at('B')])
  expect([planned.code, planned.stderr]).toEqual([
    0,
    expect.stringMatching(/^The migration \w+ is verifying: "run" goes/m),
  ])
  await rm(space.at('B'), { recursive: true })
  const refused = await run('vault-migrate', ['rollback', ...ends])
  expect(refused.code, refused.stderr).toBe(1)
  expect(refused.stderr).toContain('"--without-target" gives the migration up')
  expect(refused.stderr).toMatch(/The migration \w+ goes to B, and in .* is no place now/)
  // No other place is made in its stead.
  expect(await readdir(space.dir)).not.toContain('B')
  await json('vaultctl', ['init', space.at('D'), '--no-passphrase'])
  const another = ['--from', space.at('A'), '--to', space.at('D'), '--without-target']
  const mistaken = await run('vault-migrate', ['rollback', ...another])
  expect([mistaken.code, mistaken.stderr]).toEqual([1, expect.stringContaining('[MIGRATION_PLAN_MISMATCH]')])
  const given = await json('vault-migrate', ['rollback', ...ends, '--without-target', '--reason', 'the disk died'])
  expect(given).toMatchObject({ phase: 'rolled-back', left_at_target: true, reason: 'the disk died' })
  expect(given).not.toHaveProperty('already')
  const other = ['--from', space.at('A'), '--to', space.at('C'), '--no-to-passphrase']
  expect(await json('vault-migrate', ['run', ...other])).toMatchObject({ phase: 'complete' })
  // The vault has left: what was given up before says nothing of where it is active.
  const before = ['rollback', ...ends, '--without-target', '--migration', given.migration_id as string]
  const said = await run('vault-migrate', before)
  expect([said.code, said.stdout]).toEqual([
    0,
    expect.stringMatching(/^The migration .* was given up before, without /),
  ])
  expect(said.stdout).not.toContain('is active')
})

test('between two servers the first one gives up by itself, and takes back when the second one is there again', async () => {
  await using space = await scratch()
  const servers = await prepared(space, 40)
  const { me, placeOfA } = servers
  const b = await serve(space.at('B'), ['--allow', placeOfA])
  const a = await serve(space.at('A'), ['--allow', b.key, '--allow-moves', me, '--move-to', `${b.url}#${b.key}`])
  await run('vault-migrate', [...between(servers, a, b), '--bwlimit', '30K'], atStep('copy', 'SIGINT'))
  await b.stop('SIGKILL')
  const words = between(servers, a, b, 'rollback')
  const given = await json('vault-migrate', [...words, '--without-target'])
  expect(given).toMatchObject({ phase: 'rolled-back', left_at_target: true })
  const there = ['status', a.url, '--peer-key', a.key, '--as', 'me', ...servers.keystore]
  expect(await json<Status>('vault-migrate', there)).toMatchObject({ state: 'active' })

  const back = await serve(space.at('B'), ['--allow', placeOfA], { port: Number(new URL(b.url).port) })
  const cleaned = await json('vault-migrate', words)
  expect(cleaned).toMatchObject({ phase: 'rolled-back', already: true })
  expect(cleaned).not.toHaveProperty('left_at_target')
  const moved = await run('vault-migrate', between(servers, a, b))
  expect([moved.code, moved.stdout], moved.stderr).toEqual([0, expect.stringContaining(`the bytes in ${a.url},`)])
  expect(await back.stop('SIGTERM')).toBe(0)
  expect(await a.stop('SIGTERM')).toBe(0)
  expect(await json('vaultctl', ['status', space.at('B')])).toMatchObject({ state: 'active' })
})
