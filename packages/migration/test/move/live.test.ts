import { fromUtf8 } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { rawBlock } from '../../../transfer/test/memory-vault.ts'
import type { EffectName } from '../../src/move/effect.ts'
import { Fate } from './crash.ts'
import { activeAt, crashes, expectSound, partsOf, resume, unfinished } from './moving.ts'
import type { Scene } from './processes.ts'
import { expectCertified, moveWith, rootsAt, scene, stepsBefore } from './processes.ts'
import { put } from './seats.ts'

/** Changes of every kind: an object and an entry that come, and others that go. */
async function change({ a, vault }: Scene, name: string): Promise<void> {
  await put(a, vault, [rawBlock(`written before ${name}`)], name)
  const soup = a.store.soup(vault)
  const { epoch } = await soup.tenure()
  const entry = await soup.entry('path:file-0')
  if (entry?.object === undefined) return
  await soup.commit({ epoch, entries: { remove: ['path:file-0'] }, objects: { release: [entry.object] } })
}

describe('the source is written to while it moves', () => {
  test.each(stepsBefore('copy-rest'))('before %s: it arrives, and is certified', async (effect) => {
    const places = await scene()
    const { a, b, vault } = places
    const state = await moveWith(partsOf(a, b, vault), async (step) => {
      if (step === effect) await change(places, step)
    })
    expectCertified(state)
    expect(await expectSound([a, b], vault, await rootsAt(a, vault))).toBe(b)
    const entry = await b.store.soup(vault).entry(`path:${effect}-0`)
    expect(entry?.object && fromUtf8((await b.objects.get(entry.object)) as Uint8Array)).toBe(
      `written before ${effect}`,
    )
  })

  test('before every step: it arrives, and is certified', async () => {
    const places = await scene()
    const { a, b, vault } = places
    const steps = new Set<EffectName>(stepsBefore('copy-rest'))
    const state = await moveWith(partsOf(a, b, vault), async (step) => {
      if (steps.has(step)) await change(places, step)
    })
    expectCertified(state)
    expect(state.statement?.counts.objects).toBe(1 + steps.size)
    expect(await expectSound([a, b], vault, await rootsAt(a, vault))).toBe(b)
  })

  // Going past what quiesces: only a broken store can.
  test.each(stepsBefore('activate').slice(stepsBefore('copy-rest').length))(
    'before %s, although it is quiesced: what was changed arrives',
    async (effect) => {
      const places = await scene()
      const { a, b, vault } = places
      let times = 0
      const state = await moveWith(partsOf(a, b, vault), async (step, migration) => {
        if (step !== effect || times++ > 0) return
        const { tenures } = a.store
        const quiesced = { state: 'quiesced', epoch: 0, migration } as const
        await tenures.transition(vault, quiesced, { state: 'active', epoch: 0 })
        await change(places, step)
        await tenures.transition(vault, { state: 'active', epoch: 0 }, quiesced)
      })
      expectCertified(state)
      expect(await b.store.soup(vault).entry(`path:${effect}-0`)).toBeDefined()
      expect(await expectSound([a, b], vault, await rootsAt(a, vault))).toBe(b)
    },
  )
})

describe('killed while later changes are sent', () => {
  /** A move whose source is written to before both of the steps that send what came later. */
  async function late(fate: Fate): Promise<Scene & { readonly crashed: boolean }> {
    const places = await scene()
    const { a, b, vault } = places
    const crashed = await crashes(() =>
      moveWith(partsOf(a, b, vault, fate), async (step) => {
        if (step === 'catch-up' || step === 'quiesce') await change(places, step)
      }),
    )
    return { ...places, crashed }
  }

  test('at every operation that receives: nothing goes uncertified', async () => {
    const fate = new Fate()
    await late(fate)
    const points = fate.operations.flatMap((name, at) => (/^B: (receive|put many)/.test(name) ? [at] : []))
    const lateOnes = points.slice(Math.floor(points.length / 3))
    expect(lateOnes.length).toBeGreaterThan(4)
    for (const at of lateOnes) {
      const { a, b, vault, crashed } = await late(new Fate(at, 'after'))
      expect(crashed).toBe(true)
      expect((await activeAt([a, b], vault)).length).toBeLessThanOrEqual(1)
      const { migration = '' } = (await unfinished(a)) ?? {}
      expectCertified(await resume(a, b, vault, migration))
      await expectSound([a, b], vault, await rootsAt(a, vault))
    }
  })
})
