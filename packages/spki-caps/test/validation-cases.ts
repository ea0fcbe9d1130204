import type { Envelope } from '@vault/core'
import { contentId, decode, encode, encodeEnvelope, link, signEnvelope, toHex, utf8 } from '@vault/core'
import { createValidation, openValidation } from '@vault/spki-caps'
import { ana, ben, HERE, later, NOW } from './world.ts'

const hex = (envelope: Envelope) => toHex(encodeEnvelope(envelope))
const idOf = (text: string) => contentId(utf8(text), { hash: 'sha2-256', codec: 'dag-cbor' })

/** What the files about validations hold, by their path under `vectors`. */
export async function validationCases(): Promise<Record<string, readonly object[]>> {
  const draft = { issuer: ana.key, certificate: idOf('a certificate'), from: NOW, until: later(600_000) }
  const all = await createValidation(draft, [ana])
  const one = await createValidation({ ...draft, request: idOf('a request') }, [ana])
  const value = decode(all.payload) as Record<string, unknown>
  const changed = async (fields: Record<string, unknown>) =>
    hex(await signEnvelope('cap-validation', encode({ ...value, ...fields } as never), [ana]))
  const { request: _, ...without } = value
  const refused: readonly (readonly [name: string, envelope: string])[] = [
    ['an end at its beginning', await changed({ until: value.from })],
    ['no end', await changed({ until: null })],
    ['a time with a fraction', await changed({ from: 1.5 })],
    ['a certificate that is no record', await changed({ certificate: link(contentId(utf8('x'))) })],
    ['a request that is no record', await changed({ request: link(contentId(utf8('x'))) })],
    ['an epoch of a key', await changed({ epoch: 0 })],
    ['a vault without an epoch', await changed({ issuer: { vault: link(HERE) } })],
    ['another field', await changed({ at: 5 })],
    ['another version', await changed({ v: 2 })],
    ['a field less', hex(await signEnvelope('cap-validation', encode(without as never), [ana]))],
    ['a byte more', hex(await signEnvelope('cap-validation', Uint8Array.of(...all.payload, 0), [ana]))],
  ]
  return {
    'capability/v1/valid/validations.json': [
      { name: 'of all requests', envelope: hex(all), id: openValidation(all).id },
      { name: 'of one request', envelope: hex(one), id: openValidation(one).id },
    ],
    'capability/v1/invalid/validations.json': [
      ...refused.map(([name, envelope]) => ({ name, envelope, code: 'CAPS_RECORD_INVALID' })),
      ...[
        ['signed by somebody else', await signEnvelope('cap-validation', all.payload, [ben])] as const,
        ['signed as another record', await signEnvelope('cap', all.payload, [ana])] as const,
      ].map(([name, envelope]) => ({ name, envelope: hex(envelope), code: 'CAPS_VALIDATION_UNUSABLE' })),
    ],
  }
}
