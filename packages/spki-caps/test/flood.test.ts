import {
  answer,
  askedTag,
  createCertificateIndex,
  createKeyDirectory,
  createSignatureMemo,
  knownVoices,
  type SignatureMemo,
} from '@vault/spki-caps'
import { expect, test } from 'vitest'
import { ana, ben, cert, eva, HERE, mia, NOW, ROOT } from './world.ts'

const FLOOD = 10_050
const question = { action: 'migrate', tag: askedTag('migrate', { path: [HERE] }), voices: knownVoices([ben.key]) }

/** How many signatures were verified for an answer, and whether it was yes. */
async function ask(certificates: Parameters<typeof createCertificateIndex>[0]) {
  const memo = createSignatureMemo()
  let verified = 0
  const counting = {
    has: memo.has,
    add(id, key) {
      if (!memo.has(id, key)) verified++
      memo.add(id, key)
    },
  } satisfies SignatureMemo
  const circumstances = { roots: [ROOT], keys: createKeyDirectory([]), revocations: 'unchecked', now: NOW } as const
  const { verdict } = await answer(question, createCertificateIndex(certificates), { ...circumstances, memo: counting })
  return { verdict: verdict.ok ? 'granted' : verdict.code, verified }
}

test('ten thousand certificates of one key for one key keep nobody from an answer, and are not verified', async () => {
  const flood = []
  for (let i = 0; i < FLOOD; i++) flood.push(await cert(mia, ben.key))
  const honest = [await cert(ana, eva.key), await cert(eva, ben.key)]
  // Whether mia holds anything or not, and wherever hers lie.
  expect(await ask([...flood, ...honest])).toEqual({ verdict: 'granted', verified: 3 })
  const held = await ask([...flood, await cert(ana, mia.key), ...honest])
  expect(held.verdict).toBe('granted')
  expect(held.verified).toBeLessThan(8)
  expect((await ask(flood)).verdict).toBe('CAPS_NO_CHAIN')
}, 60_000)
