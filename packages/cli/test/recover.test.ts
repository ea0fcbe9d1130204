import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createVault, moveSourceOf, openMoveTarget, openVault, owner } from '@vault/embedded'
import { moveVault, planMigration } from '@vault/migration'
import { expect, test } from 'vitest'
import { json, scratch } from './harness.ts'

const STOP = 'activate'

test('a vault whose source was lost behind the signature is made active by its identity, and by nobody else', async () => {
  await using space = await scratch()
  const [a, b, stateDir] = [space.at('A'), space.at('B'), space.at('state')]
  const env = { VAULT_STATE_DIR: stateDir }
  await mkdir(space.at('tree'))
  await writeFile(space.at('tree/letter'), 'Dear reader,')
  await createVault(a, { passphrase: undefined })
  {
    await using vault = await openVault(a, { stateDir })
    for await (const _ of vault.putFiles([space.at('tree')]));
    await using target = await openMoveTarget(b)
    const parts = { source: await moveSourceOf(vault), target, authorize: owner }
    const plan = await planMigration(parts, { handoff: { keys: 'new' } })
    for await (const event of moveVault(plan, parts)) if (event.type === 'step' && event.step.effect === STOP) break
  }
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
