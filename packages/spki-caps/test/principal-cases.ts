import { decode, encode, encodeEnvelope, toHex } from '@vault/core'
import type { OpenPrincipalObject, PrincipalDraft } from '@vault/spki-caps'
import { createPrincipalObject, followsPrincipal, openPrincipalObject, principalIdentity } from '@vault/spki-caps'
import { formatSexp, writePrincipal } from '@vault/spki-caps/sexp'
import { ana, ben } from './world.ts'

const of = { name: 'alice', created: '2026-01-06' }
const stats = { signaturesIssued: 47, delegationsGranted: 3, lastActive: new Date('2026-01-08T14:30:00Z') }

const made = async (draft: Partial<PrincipalDraft> = {}, by = ana) =>
  openPrincipalObject(await createPrincipalObject({ of, ...stats, ...draft }, by))
const hex = ({ envelope }: Pick<OpenPrincipalObject, 'envelope'>) => toHex(encodeEnvelope(envelope))

/** What the files about principals with statistics hold, by their path under `vectors`. */
export async function principalCases(): Promise<Record<string, readonly object[]>> {
  const first = await made()
  const second = await made({ of: first, signaturesIssued: 50 })
  const forked = await made({ of: first, signaturesIssued: 49 })
  const value = decode(first.envelope.payload) as Record<string, unknown> & { stats: object }
  const changed = (fields: object) => {
    const payload = encode({ ...value, ...fields } as never)
    return toHex(encodeEnvelope({ ...first.envelope, payload }))
  }
  const pair = (name: string, before: OpenPrincipalObject, after: OpenPrincipalObject) => {
    const findings = followsPrincipal(before, after)
    return {
      name,
      before: hex(before),
      after: hex(after),
      ...(findings.length > 0 && { code: findings[0]?.code, codes: findings.map(({ code }) => code) }),
    }
  }
  return {
    'capability/v1/valid/principals.json': [first, second].map(({ record, envelope, id }) => ({
      name: `checkpoint ${record.seq}`,
      envelope: toHex(encodeEnvelope(envelope)),
      id,
      identity: principalIdentity(record),
      sexp: formatSexp(writePrincipal(envelope)),
    })),
    'capability/v1/invalid/principals.json': [
      { name: 'more signatures', envelope: changed({ stats: { ...value.stats, signaturesIssued: 48 } }) },
      { name: 'fewer delegations', envelope: changed({ stats: { ...value.stats, delegationsGranted: 0 } }) },
      { name: 'another name', envelope: changed({ name: 'mallory' }) },
      { name: 'another key', envelope: changed({ key: ben.key }) },
    ]
      .map((each) => ({ ...each, code: 'SIGNATURE_THRESHOLD' }))
      .concat(
        [
          { name: 'a number that is none', envelope: changed({ stats: { ...value.stats, signaturesIssued: -1 } }) },
          { name: 'a day that is none', envelope: changed({ created: '2026-02-30' }) },
          { name: 'a first that names one before', envelope: changed({ prev: second.record.prev }) },
        ].map((each) => ({ ...each, code: 'CAPS_RECORD_INVALID' })),
      ),
    'capability/v1/valid/principal-checkpoints.json': [
      pair('the next', first, second),
      pair('nothing was counted', second, await made({ of: second, signaturesIssued: 50 })),
      pair('later by two', first, await made({ of: second, signaturesIssued: 51 })),
    ],
    'capability/v1/invalid/principal-checkpoints.json': [
      pair('an earlier one', second, first),
      pair('the same again', second, second),
      pair('another one of the same number', second, forked),
      pair('one behind another one', second, await made({ of: forked, signaturesIssued: 50 })),
      pair('another key', first, await made({}, ben)),
      pair('a lower number', second, await made({ of: await made({ of: first }), signaturesIssued: 48 })),
    ],
  }
}
