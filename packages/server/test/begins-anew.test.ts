import { moveSourceOf, openVault, owner } from '@vault/embedded'
import { moveVault, planMigration, runMigration } from '@vault/migration'
import type { HttpTarget } from '@vault/migration/http'
import { expect, test } from 'vitest'
import { reach, scratch, serve, vaultIn } from './served.ts'

/**
 * A target whose server begins anew once, behind what was stored: before that comes under charge, or when it has and the answer that says so
 * is lost.
 */
function beginningAnew(
  target: HttpTarget,
  { begin, isTaken }: { readonly begin: () => Promise<void>; readonly isTaken: boolean },
): HttpTarget {
  let begun = false
  const during = <Opened extends Awaited<ReturnType<HttpTarget['open']>>>(opened: Opened): Opened => ({
    ...opened,
    intake: {
      async receive(batch, options) {
        if (!begun) {
          if (isTaken) await opened.intake.receive(batch, options)
          await begin()
        }
        begun = true
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
  ['copy', 'before a change is taken', false],
  ['copy', 'when a change is taken', true],
  ['move', 'before a change is taken', false],
  ['move', 'when a change is taken', true],
] as const)('a %s goes on where its server begins anew %s', async (kind, _when, isTaken) => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 6)
  await using _ = vault
  const before = await vault.roots()
  const options = { allow: [place.key] }
  let server = await serve(folder.at('b'), options)
  const port = Number(new URL(server.url).port)
  try {
    await using reached = await reach(server, place, vault.id, {
      timeouts: { connect: 5_000, idle: 5_000, patience: 5_000 },
    })
    const begin = async () => {
      await server[Symbol.asyncDispose]()
      server = await serve(folder.at('b'), { ...options, port })
    }
    const target = beginningAnew(reached, { begin, isTaken })
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
  await using arrived = await openVault(folder.at('b'), { mode: 'read' })
  const { counts, roots } = await arrived.roots()
  expect(counts).toEqual(before.counts)
  expect(roots.objects).toBe(before.roots.objects)
})
