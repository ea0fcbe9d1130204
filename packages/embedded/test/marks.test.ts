import { appendFile, cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { verifyEvidence } from '@vault/audit-chain'
import type { Finding } from '@vault/core'
import { keyStateAt, moveVault, planMigration, recoverVault } from '@vault/migration'
import { describe, expect, test } from 'vitest'
import { createVault, moveSourceOf, openMoveTarget, openVault, owner, restoreFromBackup, seatOf } from '../src/index.ts'
import { Marks } from '../src/marks.ts'
import { scratch, snapshot } from './scratch.ts'

const plain = { passphrase: undefined }
const bytes = (text: string) => new TextEncoder().encode(text)

async function put(dir: string, text: string, stateDir?: string): Promise<void> {
  await using vault = await openVault(dir, stateDir === undefined ? {} : { stateDir })
  await vault.put(bytes(text))
}

/** A vault that was seen with two changes, and a copy of it from between them, put back. */
async function rolledBack(space: { at(...parts: string[]): string }): Promise<{ dir: string; stateDir: string }> {
  const [dir, stateDir] = [space.at('v'), space.at('state')]
  await createVault(dir, plain)
  await put(dir, 'first', stateDir)
  await cp(dir, space.at('backup'), { recursive: true, preserveTimestamps: true })
  await put(dir, 'second', stateDir)
  await rename(dir, space.at('newer'))
  await cp(space.at('backup'), dir, { recursive: true })
  return { dir, stateDir }
}

describe('an old copy that was put back', () => {
  test('is refused, to read and to write, and stays as it is', async () => {
    await using space = await scratch()
    const { dir, stateDir } = await rolledBack(space)
    const before = await snapshot(dir)
    for (const mode of ['read', 'write'] as const) {
      const error = await openVault(dir, { mode, stateDir }).catch((caught) => caught)
      expect(error).toMatchObject({
        code: 'AUDIT_ROLLBACK',
        details: {
          findings: [{ subject: 'sequence' }, { subject: 'size of the trail' }],
          evidence: expect.stringContaining(stateDir),
        },
      })
      const evidence = JSON.parse(await readFile(error.details.evidence, 'utf8'))
      expect(evidence).toMatchObject({
        code: 'AUDIT_ROLLBACK',
        seen: { epoch: 0, sequence: 2, size: 3 },
        found: { epoch: 0, sequence: 1, size: 2 },
      })
      expect(evidence.seen.checkpoint).toContain('\n3\n')
      expect(error.message).toContain(error.details.evidence)
    }
    expect(await readdir(join(stateDir, 'evidence'))).toHaveLength(1)
    expect(await snapshot(dir)).toEqual(before)
  })

  test('can be looked into with its mark ignored, which leaves the mark as it is', async () => {
    await using space = await scratch()
    const { dir, stateDir } = await rolledBack(space)
    {
      await using vault = await openVault(dir, { mode: 'read', stateDir, ignoreMark: true })
      expect((await vault.status()).objects).toBe(1)
    }
    await expect(openVault(dir, { mode: 'read', stateDir })).rejects.toMatchObject({ code: 'AUDIT_ROLLBACK' })
    await expect(openVault(dir, { stateDir, ignoreMark: true })).rejects.toThrow(TypeError)
  })

  test('becomes a place of its own that never writes', async () => {
    await using space = await scratch()
    const { dir, stateDir } = await rolledBack(space)
    const info = JSON.parse(await readFile(space.at('newer/vault.json'), 'utf8'))
    const restored = await restoreFromBackup(dir, { stateDir })
    expect(restored).toMatchObject({
      lost: { changes: 1, entries: 1 },
      size: 2,
      tenure: { state: 'replica', epoch: 0, migration: expect.stringMatching(/^[0-9a-f]{32}$/) },
    })
    expect(restored.place.instance).not.toBe(info.instance)
    expect(restored.place.key).not.toBe(info.key)
    await expect(put(dir, 'third', stateDir)).rejects.toMatchObject({ code: 'VAULT_READ_ONLY' })
    await using vault = await openVault(dir, { mode: 'read', stateDir })
    expect(vault.place.info).toEqual(restored.place)
    const events = await Array.fromAsync(vault.scrub())
    expect(events.at(-1)).toMatchObject({ ok: true, objects: 1, entries: 2 })
    await put(space.at('newer'), 'goes on', stateDir)
  })

  test('receives the vault again from where it is active, and is not recovered', async () => {
    await using space = await scratch()
    const { dir, stateDir } = await rolledBack(space)
    const { vault, tenure } = await restoreFromBackup(dir, { stateDir })
    {
      await using restored = await openVault(dir)
      const seat = await seatOf(restored.place)
      const { roles } = await keyStateAt(seat, vault)
      const identity = await seat.keys.signers('identity', roles.identity)
      await expect(recoverVault(seat, { vault, identity, reason: 'try' })).rejects.toMatchObject({
        code: 'MIGRATION_STATE',
        message: expect.stringContaining('is replica here'),
      })
    }
    await using live = await openVault(space.at('newer'))
    const source = await moveSourceOf(live)
    await using target = await openMoveTarget(dir)
    const plan = await planMigration({ source, target, authorize: owner }, { handoff: { keys: 'new' } })
    for await (const _ of moveVault(plan, { source, target, authorize: owner }));
    expect(await target.place.soups.tenures.read(vault)).toMatchObject({
      state: 'active',
      epoch: tenure.epoch + 1,
      migration: plan.migration_id,
    })
    await put(dir, 'third')
  })

  test('is refused as before where only the newer log was put beside it', async () => {
    await using space = await scratch()
    const { dir, stateDir } = await rolledBack(space)
    await rm(join(dir, 'log'), { recursive: true })
    await cp(space.at('newer/log'), join(dir, 'log'), { recursive: true })
    for (const options of [{ stateDir }, {}]) {
      await expect(openVault(dir, options)).rejects.toMatchObject({ code: 'AUDIT_ROLLBACK' })
    }
  })

  test('is refused in the name of a vault that was here and is not', async () => {
    await using space = await scratch()
    const [dir, stateDir] = [space.at('v'), space.at('state')]
    await createVault(dir, plain)
    await put(dir, 'first', stateDir)
    const [instance] = await readdir(join(stateDir, 'marks'))
    const marks = join(stateDir, 'marks', instance as string)
    const other = await createVault(space.at('other'), plain)
    const [mark] = (await readdir(marks)).filter((name) => name.endsWith('.mark'))
    await rename(join(marks, mark as string), join(marks, `${other}.mark`))
    await expect(openVault(dir, { stateDir })).rejects.toMatchObject({
      code: 'AUDIT_ROLLBACK',
      details: { findings: [{ subject: other }] },
    })
  })
})

describe('another history', () => {
  test('is a fork, with evidence that anybody can check', async () => {
    await using space = await scratch()
    const { dir, stateDir } = await rolledBack(space)
    // The copy goes on where nobody looks, and further than the other one.
    for (const text of ['other', 'and', 'more']) await put(dir, text)
    const error = await openVault(dir, { stateDir }).catch((caught) => caught)
    expect(error).toMatchObject({ code: 'AUDIT_FORK', details: { findings: [{ code: 'AUDIT_FORK' }] } })
    const evidence = JSON.parse(await readFile(error.details.evidence, 'utf8'))
    await using vault = await openVault(dir, { mode: 'read', ignoreMark: true })
    const fork = verifyEvidence(Buffer.from(evidence.fork_evidence, 'base64'), await vault.log.identity())
    expect(fork.sizes).toEqual([3, 5])
    await expect(restoreFromBackup(dir, { stateDir })).resolves.toMatchObject({ tenure: { state: 'replica' } })
  })
})

describe('a log', () => {
  test('that is gone is refused, with and without a mark', async () => {
    await using space = await scratch()
    const dir = space.at('v')
    await createVault(dir, plain)
    await put(dir, 'first', space.at('state'))
    await rm(join(dir, 'log'), { recursive: true })
    for (const mode of ['read', 'write'] as const) {
      for (const options of [{ mode, stateDir: space.at('state') }, { mode }]) {
        await expect(openVault(dir, options)).rejects.toMatchObject({ code: 'AUDIT_ROLLBACK' })
      }
    }
  })

  test('that is damaged keeps nobody from reading, and nobody writes over it', async () => {
    await using space = await scratch()
    const dir = space.at('v')
    const vault = await createVault(dir, plain)
    await put(dir, 'first', space.at('state'))
    await writeFile(join(dir, 'log', vault, 'tile/0/000.p/2'), 'x'.repeat(64))
    await using read = await openVault(dir, { mode: 'read', stateDir: space.at('state') })
    expect(read.id).toBe(vault)
    await expect(openVault(dir, { stateDir: space.at('state') })).rejects.toMatchObject({ code: 'AUDIT_TAMPERED' })
  })
})

describe('the mark', () => {
  test('is kept for each place, and follows what is read and written', async () => {
    await using space = await scratch()
    const [dir, stateDir] = [space.at('v'), space.at('state')]
    await createVault(dir, plain)
    await put(dir, 'nobody looks')
    await (await openVault(dir, { mode: 'read', stateDir }))[Symbol.asyncDispose]()
    const [instance] = await readdir(join(stateDir, 'marks'))
    expect(JSON.parse(await readFile(join(dir, 'vault.json'), 'utf8'))).toMatchObject({ instance })
    await cp(dir, space.at('old'), { recursive: true })
    await put(dir, 'more', stateDir)
    await expect(openVault(space.at('old'), { stateDir })).rejects.toMatchObject({ code: 'AUDIT_ROLLBACK' })
    await rm(stateDir, { recursive: true })
    await (await openVault(space.at('old'), { mode: 'read', stateDir }))[Symbol.asyncDispose]()
  })

  test('never goes back, however many keep it at once', async () => {
    await using space = await scratch()
    const vault = await createVault(space.at('v'), plain)
    const instance = '0'.repeat(32)
    const refused: Finding[] = []
    const open = () => new Marks({ stateDir: space.at('state'), instance, warn: (finding) => refused.push(finding) })
    for (let round = 0; round < 10; round++) {
      const numbers = Array.from({ length: 8 }, (_, i) => round * 8 + ((i * 5) % 8) + 1)
      await Promise.all(
        numbers.map((size) =>
          open().advance(vault, {
            mark: { epoch: 0, sequence: size, size, root: new Uint8Array(32) },
            checkpoint: bytes(String(size)),
          }),
        ),
      )
      const kept = (await open().all()).get(vault)
      expect(kept?.mark.size).toBe(round * 8 + 8)
      expect(kept?.checkpoint).toEqual(bytes(String(round * 8 + 8)))
    }
    expect(refused).toEqual([])
  })

  test('that is damaged is damage of this machine, and no evidence', async () => {
    await using space = await scratch()
    const [dir, stateDir] = [space.at('v'), space.at('state')]
    await createVault(dir, plain)
    await put(dir, 'first', stateDir)
    for (const name of await readdir(stateDir, { recursive: true })) {
      if (name.endsWith('.mark')) await appendFile(join(stateDir, name), 'x')
    }
    await expect(openVault(dir, { stateDir })).rejects.toMatchObject({ code: 'AUDIT_MARK_DAMAGED' })
  })

  test('that cannot be kept is a warning, said once', async () => {
    await using space = await scratch()
    const dir = space.at('v')
    await createVault(dir, plain)
    await writeFile(space.at('file'), '')
    const warnings: Finding[] = []
    {
      await using vault = await openVault(dir, {
        stateDir: space.at('file', 'below'),
        warn: (finding) => warnings.push(finding),
      })
      await vault.put(bytes('x'))
    }
    expect(warnings).toMatchObject([{ code: 'AUDIT_MARK_UNWRITABLE' }])
  })

  test('of a vault from which nothing is missing is no reason to restore it', async () => {
    await using space = await scratch()
    const [dir, stateDir] = [space.at('v'), space.at('state')]
    await createVault(dir, plain)
    await put(dir, 'first', stateDir)
    await expect(restoreFromBackup(dir, { stateDir })).rejects.toMatchObject({ code: 'VAULT_NOT_BEHIND' })
    await put(dir, 'second', stateDir)
    // Another machine knows nothing, and asks to be told.
    for (const elsewhere of [{ stateDir: space.at('elsewhere') }, {}]) {
      const before = await snapshot(dir)
      await expect(restoreFromBackup(dir, elsewhere)).rejects.toMatchObject({ code: 'VAULT_MARK_UNKNOWN' })
      expect(await snapshot(dir)).toEqual(before)
    }
    const told = { stateDir: space.at('elsewhere'), withoutMark: true }
    expect((await restoreFromBackup(dir, told)).lost).toBeUndefined()
    // As after a crash before its end: it is known to be a restored one.
    expect((await restoreFromBackup(dir, { stateDir: space.at('elsewhere') })).tenure.state).toBe('replica')
  })
})
