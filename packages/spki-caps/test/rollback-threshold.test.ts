import { thresholdPrincipal, vaultTag } from '@vault/spki-caps'
import { expect, test } from 'vitest'
import { ana, authorizeHere, ben, cert, eva, HERE, mia, request, tom } from './world.ts'

// What goes back to an earlier state needs more people than what goes on: two grants to thresholds of the same five.
const members = [ana, ben, eva, mia, tom].map(({ key }) => key)
const to = (threshold: number, ...actions: string[]) =>
  cert(ana, thresholdPrincipal(threshold, members), { tag: vaultTag({ actions, object: HERE }), delegate: false })

test('a rollback is granted to four of five, and to no three of them who may do everything else', async () => {
  const [use, back] = [await to(2, 'read', 'write', 'migrate'), await to(4, 'rollback')]
  const asked = async (action: string, ...signers: readonly (typeof ana)[]) => {
    const proof = action === 'rollback' ? [back] : [use]
    const verdict = await authorizeHere(await request(signers, { action }), proof)
    return verdict.ok ? 'granted' : verdict.code
  }
  expect(await asked('write', ben, eva)).toBe('granted')
  expect(await asked('rollback', ben, eva, mia, tom)).toBe('granted')
  expect(await asked('rollback', ben, eva, mia)).toBe('CAPS_BELOW_THRESHOLD')
  // The same person again is nobody more.
  expect(await asked('rollback', ben, eva, mia, mia)).toBe('CAPS_NOT_DISTINCT')
  const all = await authorizeHere(await request([ben, eva, mia, tom], { action: 'rollback' }), [use])
  expect(all).toMatchObject({ ok: false, code: 'CAPS_NOT_COVERED' })
})
