import { moveSourceOf, openVault, owner } from '@vault/embedded'
import { moveVault, planMigration, runMigration } from '@vault/migration'
import type { HttpTarget } from '@vault/migration/http'
import { expect, test } from 'vitest'
import { reach, scratch, serve, vaultIn } from './served.ts'

/**
 * A target whose server begins anew once, behind what was stored: before that comes under charge or is held, or when it has and the answer
 * that says so is lost.
 */
function beginningAnew(
  target: HttpTarget,
  {
    begin,
    what,
    isTaken,
  }: { readonly begin: () => Promise<void>; readonly what: 'objects' | 'hold'; readonly isTaken: boolean },
): HttpTarget {
  let begun = false
  const during = <Opened extends Awaited<ReturnType<HttpTarget['open']>>>(opened: Opened): Opened => ({
    ...opened,
    intake: {
      async receive(batch, options) {
        if (!begun && batch[what] !== undefined) {
          begun = true
          if (isTaken) await opened.intake.receive(batch, options)
          await begin()
        }
        return await opened.intake.receive(batch, options)
      },
    },
  })
  return {
    ...target,
    open: async (offer, options) => during(await target.open(offer, options)),
    receive: async (offer, options) => during(await target.receive(offer, options)),
  }
}

test.each([
  ['copy', 'objects', 'before they are taken', false],
  ['copy', 'objects', 'when they are taken', true],
  ['move', 'objects', 'before they are taken', false],
  ['move', 'objects', 'when they are taken', true],
  ['move', 'hold', 'before it is done', false],
] as const)('a %s goes on where its server begins anew: %s, %s', async (kind, what, _when, isTaken) => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 6)
  await using _ = vault
  const before = await vault.roots()
  const options = { allow: [place.key] }
  let begins = 0
  let server = await serve(folder.at('b'), options)
  const port = Number(new URL(server.url).port)
  try {
    await using reached = await reach(server, place, vault.id, {
      timeouts: { connect: 5_000, idle: 5_000, patience: 5_000 },
    })
    const begin = async () => {
      begins++
      await server[Symbol.asyncDispose]()
      server = await serve(folder.at('b'), { ...options, port })
    }
    const target = beginningAnew(reached, { begin, what, isTaken })
    const parts = { source: await moveSourceOf(vault), target, authorize: owner }
    if (kind === 'copy') {
      const events = await Array.fromAsync(runMigration(await planMigration(parts), parts))
      expect(events.at(-1)).toMatchObject({ type: 'summary' })
    } else {
      const events = await Array.fromAsync(moveVault(await planMigration(parts, { handoff: { keys: 'new' } }), parts))
      expect(events.at(-1)).toMatchObject({ type: 'moved', state: { phase: 'complete' } })
    }
  } finally {
    await server[Symbol.asyncDispose]()
  }
  expect(begins).toBe(1)
  await using arrived = await openVault(folder.at('b'), { mode: 'read' })
  const { counts, roots } = await arrived.roots()
  expect(counts).toEqual(before.counts)
  expect(roots.objects).toBe(before.roots.objects)
})

test('a migration that another one has shut out stays so where the server begins anew', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 1)
  await using _ = vault
  const options = { allow: [place.key] }
  let server = await serve(folder.at('b'), options)
  const port = Number(new URL(server.url).port)
  try {
    await using target = await reach(server, place, vault.id, {
      timeouts: { connect: 5_000, idle: 5_000, patience: 5_000 },
    })
    const keyEvents = await vault.place.soups.tenures.keyEvents(vault.id)
    const [first, second] = ['1'.repeat(32), '2'.repeat(32)]
    const shutOut = await target.receive({ vault: vault.id, keyEvents, migration: first })
    await target.receive({ vault: vault.id, keyEvents, migration: second })
    await server[Symbol.asyncDispose]()
    server = await serve(folder.at('b'), { ...options, port })
    await expect(shutOut.intake.receive({ migration: first })).rejects.toMatchObject({ code: 'HTTP_SESSION' })
    expect((await target.look(vault.id)).tenure).toMatchObject({ state: 'receiving', migration: second })
  } finally {
    await server[Symbol.asyncDispose]()
  }
})
