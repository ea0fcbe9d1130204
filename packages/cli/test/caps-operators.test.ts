import { expect, test } from 'vitest'
import { scratch } from './harness.ts'
import { ownKeys } from './own-keys.ts'

/** A vault whose operators are two of three people, whose keys lie in their keystore. */
async function vaultOfThree() {
  const space = await scratch()
  const { ctl } = ownKeys(space)
  for (const name of ['ana', 'ben', 'eva', 'mia']) await ctl(['keys', 'new', name, '--no-passphrase'])
  await ctl(['init', 'A', '--no-passphrase'])
  await ctl(['caps', 'issue', 'A', '--to', 'mia', '--action', 'read', '--expires', '20d'])
  await ctl(['caps', 'publish', 'A', '--until', '2h'])
  await ctl(['ceremony', 'plan', 'A', '--out', 'C', '--as', 'ana', '--operators', '2:ana,ben,eva'])
  for (const who of ['ana', 'ben', 'eva']) await ctl(['ceremony', 'join', 'C', '--as', who])
  await ctl(['ceremony', 'join', 'C', '--vault', 'A'])
  await ctl(['ceremony', 'commit', 'C', '--to', 'A'])
  return { ctl, [Symbol.asyncDispose]: () => space[Symbol.asyncDispose]() }
}

test('operators whose keys are in the keystore publish, and ask for approvals', async () => {
  await using vault = await vaultOfThree()
  const { ctl } = vault
  const asked = ['caps', 'explain', 'A', '--for', 'mia', '--do', 'read']
  const { dir } = await ctl<{ dir: string }>(['status', 'A'])
  const advice = `vaultctl caps publish ${dir} --as NAME --as NAME`
  // Other operators have come since the last word on revocations.
  expect(await ctl(asked, 1)).toMatchObject({ code: 'CAPS_STALE', advice })
  for (const too of [['--as', 'ana'], ['--as', 'ana', '--as', 'mia'], []]) {
    expect(await ctl(['caps', 'publish', 'A', ...too], 1)).toMatchObject({
      error: { code: 'CAPS_OPERATORS_MISSING', details: { needed: 2 } },
    })
    const mandate = ['caps', 'mandate', 'A', '--action', 'migrate', '--approvals', '1', ...too]
    expect(await ctl(mandate, 1)).toMatchObject({ error: { code: 'CAPS_OPERATORS_MISSING' } })
  }
  const two = ['--as', 'ben', '--as', 'eva']
  expect(await ctl(['caps', 'publish', 'A', ...two])).toMatchObject({ ok: true, revocations: 0 })
  expect(await ctl(asked)).toMatchObject({ ok: true })
  await ctl(['caps', 'mandate', 'A', '--action', 'migrate', '--approvals', '1', ...two])
  expect(await ctl(['status', 'A'])).toMatchObject({ mandate: { approvals: 1 } })
})

test('one of several operators is told how they grant, together or each a half', async () => {
  await using vault = await vaultOfThree()
  const { ctl } = vault
  await ctl(['caps', 'publish', 'A', '--as', 'ben', '--as', 'eva'])
  const grant = ['caps', 'issue', 'A', '--to', 'mia', '--action', 'write']
  const { error } = await ctl<{ error: { code: string; message: string } }>([...grant, '--as', 'ana'], 1)
  expect(error).toMatchObject({ code: 'CAPS_OPERATORS_MISSING', details: { needed: 2, held: 1 } })
  expect(error.message).toMatch(/--as NAME --as NAME[\s\S]*--to 2-of:K1,K2,… --delegate/)
  await ctl([...grant, '--as', 'ana', '--as', 'eva'])

  // The way that it names.
  const council = ['--to', '2-of:ana,ben,eva', '--action', 'migrate', '--delegate', '--as', 'ana', '--as', 'eva']
  await ctl(['caps', 'issue', 'A', ...council])
  const half = ['caps', 'issue', 'A', '--to', 'mia', '--action', 'migrate', '--as']
  const asked = ['caps', 'explain', 'A', '--for', 'mia', '--do', 'migrate']
  const { id } = await ctl<{ id: string }>([...half, 'ana'])
  await ctl(asked, 1)
  await ctl([...half, 'ben'])
  await ctl(asked)
  const { error: again } = await ctl<{ error: { code: string } }>(['caps', 'revoke', 'A', id, '--as', 'ben'], 1)
  expect(again.code).toBe('CAPS_OPERATORS_MISSING')
  // What is one's own is taken back alone.
  await ctl(['caps', 'revoke', 'A', id, '--as', 'ana'])
})

test('the certificate of the place is told where it is signed beside, and not taken back by accident', async () => {
  await using vault = await vaultOfThree()
  const { ctl } = vault
  const two = ['--as', 'ana', '--as', 'eva']
  const issued = await ctl<{ place_certificate: string }>([
    ...['caps', 'issue', 'A', '--to', 'mia', '--action', 'write'],
    ...two,
  ])
  const own = issued.place_certificate
  expect(own).toMatch(/^bafy/)
  const again = await ctl(['caps', 'issue', 'A', '--to', 'mia', '--action', 'audit', ...two])
  expect(again).not.toHaveProperty('place_certificate')

  const revoke = ['caps', 'revoke', 'A', own, ...two]
  expect(await ctl(revoke, 2)).toMatchObject({ error: { code: 'USAGE' } })
  expect(await ctl(['status', 'A'])).toMatchObject({ state: 'active' })
  await ctl([...revoke, '--this-place'])
  await ctl(['status', 'A'], 1)
  const shutOut = async () => {
    // What was revoked has not been said anew either.
    const { checks } = await ctl<{ checks: { name: string; ok: boolean; advice?: string }[] }>(['doctor', 'A'], 1)
    return checks.find(({ name, ok }) => name === 'capabilities' && !ok)
  }
  const advice = (await shutOut())?.advice
  expect(advice).toMatch(/vaultctl caps issue .* --to ed25519:\w+ --action "\*" --expires never$/)
  const [place = ''] = /ed25519:\w+/.exec(advice ?? '') ?? []
  // Both commands that it names.
  await ctl(['caps', 'publish', 'A', ...two])
  await ctl(['caps', 'issue', 'A', '--to', place, '--action', '*', '--expires', 'never', ...two])
  await ctl(['status', 'A'])
  expect(await ctl(['doctor', 'A'])).toMatchObject({ ok: true })
})
