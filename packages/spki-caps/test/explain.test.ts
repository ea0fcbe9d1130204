import { explain, openCapCert, tagText, thresholdPrincipal, vaultTag } from '@vault/spki-caps'
import { expect, test } from 'vitest'
import { ALL, ana, authorizeHere, ben, cert, eva, HERE, MIGRATE, mia, ROOT, request } from './world.ts'

const proofOf = async () => [
  await cert(ana, eva.key, { tag: vaultTag({ actions: ['migrate', 'write'], object: HERE }), expires: null }),
  await cert(eva, ben.key, { tag: vaultTag({ actions: ['delete'], object: HERE }), delegate: false, expires: null }),
  await cert(ben, mia.key, { expires: null }),
]

test('a refusal names the link, both sides, and what was not looked at', async () => {
  const proof = await proofOf()
  const lines = explain(authorizeHere(await request([mia]), proof))
  const [first, second, third] = proof.map((envelope) => openCapCert(envelope).id)
  const has = (line: string) => expect(lines.map((each) => each.trim())).toContain(line)
  has(`✓ root  ana → ${ana.key}  grants ${tagText(ALL)}  redelegate yes  for ever`)
  has('– revocation: not checked, nobody looked')
  has(
    `✓ hop 1, certificate ${first}  ${ana.key} → ${eva.key}  grants (vault {write, migrate} ${HERE}/)  redelegate yes  for ever`,
  )
  has(
    `✗ hop 2, certificate ${second}  ${eva.key} → ${ben.key}  grants (vault delete ${HERE}/)  redelegate no  for ever`,
  )
  has(
    `STOP: what it grants its issuer does not hold  have (vault {write, migrate} ${HERE}/)  asked (vault delete ${HERE}/)`,
  )
  has('– signature: not checked, not reached')
  has(`– hop 3, certificate ${third}  ${ben.key} → ${mia.key}  grants ${tagText(ALL)}  redelegate yes  for ever`)
  expect(lines.at(-1)).toBe(`DENIED at hop 2, certificate ${second} (CAPS_TAG_EMPTY)`)
})

test('a grant says from where, what, and until when', async () => {
  const pair = thresholdPrincipal(2, [ana.key, eva.key])
  const proof = [await cert([ana, eva], ben.key, { issuer: pair, tag: MIGRATE })]
  const verdict = authorizeHere(await request([ben]), proof, { roots: [{ ...ROOT, name: 'council', subject: pair }] })
  const lines = explain(verdict)
  expect(lines.join('\n')).toContain('✓ signature: signed by 2 distinct keys')
  expect(lines.at(-1)).toBe(`GRANTED from root council: ${tagText(MIGRATE)} until 2026-01-15T12:01:00Z`)
})

test('nothing from outside steers a terminal', async () => {
  const verdict = authorizeHere(await request([ben], { object: '\u001b[2J\u202e' }), [await cert(ana, ben.key)])
  expect(explain(verdict).join('')).not.toMatch(/[\p{Cc}\u202e]/u)
})

test('a refusal of what cannot be read is explained too', async () => {
  const lines = explain(authorizeHere(await cert(ana, ben.key), []))
  expect(lines.at(-1)).toBe('DENIED at request (CAPS_MALFORMED)')
})
