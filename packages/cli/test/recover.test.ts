import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createVault, moveSourceOf, openMoveTarget, openVault, owner } from '@vault/embedded'
import { moveVault, planMigration } from '@vault/migration'
import { expect, test } from 'vitest'
import { json, run, scratch } from './harness.ts'

test('a vault whose source was lost behind the signature is made active by its identity, and by nobody else', async () => {
  await using space = await scratch()
  const [a, b, stateDir] = [space.at('A'), space.at('B'), space.at('state')]
  const env = { VAULT_STATE_DIR: stateDir }
  await mkdir(space.at('tree'))
  await writeFile(space.at('tree/letter'), 'Dear reader,')
  await createVault(a, { passphrase: undefined })
  await stoppedAt('activate', { a, b, stateDir, tree: space.at('tree') })
  const status = (dir: string) => json<{ state: string; epoch: number }>('vaultctl', ['status', dir], 0, { env })
  expect([(await status(a)).state, (await status(b)).state]).toEqual(['retired', 'prepared'])
  const keys = await readdir(join(a, 'keys'))
  for (const role of ['identity', 'operators']) {
    const name = keys.find((key) => key.startsWith(`${role}-`)) as string
    await copyFile(join(a, 'keys', name), space.at(role))
  }
  await rm(a, { recursive: true })

  const recover = (role: string, code: number) =>
    json('vault-migrate', ['recover', b, '--identity', space.at(role), '--reason', 'the old machine burnt'], code, {
      env,
    })
  const refused = await recover('operators', 1)
  expect(refused).toMatchObject({ ok: false })
  expect((await status(b)).state).toBe('prepared')
  expect(await recover('identity', 0)).toMatchObject({ ok: true, state: 'active' })
  expect(await status(b)).toMatchObject({ log: { waiting: 0 } })

  expect(await json('vaultctl', ['verify', b], 0, { env })).toMatchObject({ ok: true, damaged: [] })
  await writeFile(space.at('tree/reply'), 'Dear writer,')
  await json('vaultctl', ['put', b, space.at('tree')], 0, { env })
  const { entries } = await json<{ entries: { action: { verb: string; parameters: unknown } }[] }>(
    'vaultctl',
    ['log', b],
    0,
    { env },
  )
  expect(JSON.stringify(entries)).toContain('the old machine burnt')
})

test('a target that comes back when its source was made active again gives up what it received', async () => {
  await using space = await scratch()
  const [a, b, stateDir] = [space.at('A'), space.at('B'), space.at('state')]
  const env = { VAULT_STATE_DIR: stateDir }
  await mkdir(space.at('tree'))
  await writeFile(space.at('tree/letter'), 'Dear reader,')
  await createVault(a, { passphrase: undefined })
  const migration = await stoppedAt('activate', { a, b, stateDir, tree: space.at('tree') })
  const unfinished = await run('vaultctl', ['doctor', a], { env })
  expect(unfinished.stdout).toContain(`vault-migrate resume --from ${a} --to FOLDER (FOLDER: where the place "B" is)`)
  await rename(b, space.at('lost'))
  const away = await run('vault-migrate', ['rollback', '--from', a, '--to', b], { env })
  expect([away.code, away.stderr]).toEqual([1, expect.stringContaining('"vault-migrate recover", where the vault was')])
  expect(away.stderr).not.toContain('--without-target')
  const recovered = await run('vault-migrate', ['recover', a, '--reason', 'the new machine burnt'], { env })
  expect([recovered.code, recovered.stdout], recovered.stderr).toEqual([
    0,
    expect.stringContaining(`"vault-migrate rollback --migration ${migration} --from ${a} --to PLACE"`),
  ])
  const doctor = () => run('vaultctl', ['doctor', a], { env })
  expect((await doctor()).stdout).toContain('it is active at both')
  await rename(space.at('lost'), b)
  const ends = ['--from', a, '--to', b]
  const cleaned = await json('vault-migrate', ['rollback', '--migration', migration, ...ends], 0, { env })
  expect(cleaned).toMatchObject({ phase: 'rolled-back' })
  expect(cleaned).not.toHaveProperty('left_at_target')
  expect((await doctor()).stdout).not.toContain('it is active at both')
  expect(await json('vault-migrate', ['run', ...ends, '--no-to-passphrase'], 0, { env })).toMatchObject({
    phase: 'complete',
  })
})

test('a target that had taken the vault and is gone is gone on without only with --taken', async () => {
  await using space = await scratch()
  const [a, b, stateDir] = [space.at('A'), space.at('B'), space.at('state')]
  const env = { VAULT_STATE_DIR: stateDir }
  await mkdir(space.at('tree'))
  await writeFile(space.at('tree/letter'), 'Dear reader,')
  await createVault(a, { passphrase: undefined })
  await stoppedAt('route', { a, b, stateDir, tree: space.at('tree') })
  await rename(b, space.at('lost'))
  const away = await run('vault-migrate', ['rollback', '--from', a, '--to', b], { env })
  expect([away.code, away.stderr]).toEqual([1, expect.stringContaining('"vault-migrate recover --taken"')])
  const words = ['recover', a, '--reason', 'the new machine burnt']
  const refused = await run('vault-migrate', words, { env })
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('"vault-migrate recover --taken"')])
  expect(await json('vault-migrate', [...words, '--taken'], 0, { env })).toMatchObject({ state: 'active' })
  expect(await json('vaultctl', ['verify', a], 0, { env })).toMatchObject({ ok: true, damaged: [] })
  expect((await run('vaultctl', ['doctor', a], { env })).stdout).toContain('it is active at both')

  // It was no loss: whoever asks is told that there are two.
  await rename(space.at('lost'), b)
  for (const verb of ['plan', 'run']) {
    const ends = ['--from', a, '--to', b, ...(verb === 'run' ? ['--no-to-passphrase'] : [])]
    expect(await json('vault-migrate', [verb, ...ends], 3, { env })).toMatchObject({
      error: { code: 'MIGRATION_FORKED' },
    })
  }
  expect([await stateOf(a, env), await stateOf(b, env)]).toEqual(['active', 'active'])
})

test('where the target of a complete move is gone, nothing is said that cannot work', async () => {
  await using space = await scratch()
  const [a, b, stateDir] = [space.at('A'), space.at('B'), space.at('state')]
  const env = { VAULT_STATE_DIR: stateDir }
  await createVault(a, { passphrase: undefined })
  const ends = ['--from', a, '--to', b]
  await json('vault-migrate', ['run', ...ends, '--no-to-passphrase'], 0, { env })
  await rm(b, { recursive: true })
  const refused = await run('vault-migrate', ['rollback', ...ends], { env })
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('active nowhere any more')
  expect(refused.stderr).toContain('"vaultctl get"')
  const recover = await run('vault-migrate', ['recover', a, '--reason', 'gone'], { env })
  expect([recover.code, recover.stderr]).toEqual([1, expect.stringContaining('put into a new vault')])
})

async function stateOf(dir: string, env: { readonly VAULT_STATE_DIR: string }): Promise<string> {
  const { state } = await json<{ readonly state: string }>('vaultctl', ['status', dir], 0, { env })
  return state
}

/** Moves a vault until this step, in which the process dies. Gives the migration. */
async function stoppedAt(
  effect: string,
  {
    a,
    b,
    stateDir,
    tree,
  }: { readonly a: string; readonly b: string; readonly stateDir: string; readonly tree: string },
): Promise<string> {
  await using vault = await openVault(a, { stateDir })
  for await (const _ of vault.putFiles([tree]));
  await using target = await openMoveTarget(b)
  const parts = { source: await moveSourceOf(vault), target, authorize: owner }
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  for await (const event of moveVault(plan, parts)) {
    if (event.type === 'step' && event.step.effect === effect) break
  }
  return plan.migration_id
}
