import { contentId, encode, signEnvelope, utf8 } from '@vault/core'
import type { CapsFindingCode, Tag } from '@vault/spki-caps'
import {
  ANY,
  anyOf,
  createNonceLedger,
  createRevocationSet,
  hashPrincipal,
  openCapCert,
  thresholdPrincipal,
  vaultTag,
} from '@vault/spki-caps'
import { expect, test } from 'vitest'
import {
  type Case,
  council,
  house,
  houseRoot,
  kept,
  knowing,
  long,
  lost,
  ofHouse,
  setOf,
  states,
  trio,
  viewOf,
} from './cast.ts'
import {
  ana,
  authorizeHere,
  ben,
  cert,
  DAY,
  eva,
  HERE,
  later,
  mia,
  NOW,
  ROOT,
  request,
  revoke,
  signer,
  tom,
} from './world.ts'

const refusals: readonly [code: CapsFindingCode, what: string, make: () => Promise<Case>][] = [
  ['CAPS_TOO_LARGE', 'more certificates than are looked at', async () => ({ proof: await long(65) })],
  [
    'CAPS_TOO_LARGE',
    'more signatures than are looked at',
    async () => ({
      proof: [
        await cert(
          Array.from({ length: 65 }, () => ana),
          ben.key,
        ),
      ],
    }),
  ],
  [
    'CAPS_TOO_LARGE',
    'tags whose meet is too large to be one',
    async () => {
      const lists = (tag: (i: number) => Tag) => anyOf(Array.from({ length: 60 }, (_, i) => tag(i))) as Tag
      const roots = [{ ...ROOT, tag: ANY }]
      const proof = [
        await cert(ana, eva.key, { tag: lists((i) => ['x', { prefix: `a${i}b` }, '*']) }),
        await cert(eva, ben.key, { tag: lists((i) => ['x', '*', { prefix: `a${i}b` }]) }),
      ]
      return { proof, input: { roots } }
    },
  ],
  [
    'CAPS_NOT_COVERED',
    'a request that is too large to be covered',
    async () => {
      const lists = (tag: (i: number) => Tag) => anyOf(Array.from({ length: 60 }, (_, i) => tag(i))) as Tag
      const tag: Tag = ['vault', '*', lists((i) => ['x', { prefix: `a${i}b` }, '*'])]
      const asked = await request([ben], { object: lists((i) => ['x', '*', { prefix: `a${i}b` }]) })
      return { request: asked, proof: [await cert(ana, ben.key, { tag })], input: { roots: [{ ...ROOT, tag: ANY }] } }
    },
  ],
  [
    'CAPS_MALFORMED',
    'a certificate that is none',
    async () => ({ proof: [await signEnvelope('cap', encode({ type: 'cap', v: 1 }), [ana])] }),
  ],
  [
    'CAPS_MALFORMED',
    'a request that is none',
    async () => ({ request: await cert(ben, ana.key), proof: [await cert(ana, ben.key)] }),
  ],
  [
    'CAPS_AUDIENCE',
    'a request for another vault',
    async () => ({
      request: await request([ben], { audience: contentId(utf8('elsewhere')) }),
      proof: [await cert(ana, ben.key)],
    }),
  ],
  [
    'CAPS_NONCES_FULL',
    'a ledger that is full',
    async () => ({ proof: [await cert(ana, ben.key)], input: { nonces: createNonceLedger(0) } }),
  ],
  ['CAPS_NO_ROOT', 'a chain that begins nowhere', async () => ({ proof: [await cert(eva, ben.key)] })],
  ['CAPS_NO_ROOT', 'no roots', async () => ({ proof: [await cert(ana, ben.key)], input: { roots: [] } })],
  [
    'CAPS_CHAIN_BROKEN',
    'a certificate of a stranger in the middle',
    async () => ({ proof: [await cert(ana, eva.key), await cert(mia, ben.key)] }),
  ],
  [
    'CAPS_CYCLIC',
    'a circle',
    async () => ({ proof: [await cert(ana, eva.key), await cert(eva, ana.key), await cert(ana, ben.key)] }),
  ],
  ['CAPS_CYCLIC', 'one who grants to himself', async () => ({ proof: [await cert(ana, ana.key)] })],
  [
    'CAPS_CYCLIC',
    'a certificate twice',
    async () => {
      const once = await cert(ana, ben.key)
      return { proof: [once, once] }
    },
  ],
  [
    'CAPS_NOT_DELEGABLE',
    'a grant that was not to be granted on',
    async () => ({ proof: [await cert(ana, eva.key, { delegate: false }), await cert(eva, ben.key)] }),
  ],
  [
    'CAPS_NOT_DELEGABLE',
    'a root that may not grant on',
    async () => ({ proof: [await cert(ana, ben.key)], input: { roots: [{ ...ROOT, delegate: false }] } }),
  ],
  [
    'CAPS_TOO_DEEP',
    'one certificate more than the first allows',
    async () => ({
      proof: [await cert(ana, eva.key, { depth: 1 }), await cert(eva, mia.key), await cert(mia, ben.key)],
    }),
  ],
  [
    'CAPS_TOO_DEEP',
    'one certificate more than the verifier allows',
    async () => ({ request: await request([signer('person 10')]), proof: await long(11) }),
  ],
  [
    'CAPS_TAG_EMPTY',
    'a grant of what the issuer does not hold',
    async () => ({
      proof: [
        await cert(ana, eva.key, { tag: vaultTag({ actions: ['migrate', 'write'], object: HERE }) }),
        await cert(eva, ben.key, { tag: vaultTag({ actions: ['delete'], object: HERE }) }),
      ],
    }),
  ],
  [
    'CAPS_NOT_COVERED',
    'a request for more than was granted',
    async () => ({ proof: [await cert(ana, ben.key, { tag: vaultTag({ actions: ['read'], object: HERE }) })] }),
  ],
  [
    'CAPS_NOT_COVERED',
    'a request for the whole where a path was granted',
    async () => ({
      proof: [await cert(ana, ben.key, { tag: vaultTag({ actions: '*', object: HERE, path: ['docs'] }) })],
    }),
  ],
  [
    'CAPS_NOT_YET',
    'a certificate too early',
    async () => ({ proof: [await cert(ana, ben.key, { notBefore: later(1000) })] }),
  ],
  [
    'CAPS_NOT_YET',
    'a request from the future',
    async () => ({ request: await request([ben], { at: later(1000) }), proof: [await cert(ana, ben.key)] }),
  ],
  ['CAPS_EXPIRED', 'a certificate at its end', async () => ({ proof: [await cert(ana, ben.key, { expires: NOW })] })],
  [
    'CAPS_EXPIRED',
    'a certificate in the middle at its end',
    async () => ({ proof: [await cert(ana, eva.key, { expires: NOW }), await cert(eva, ben.key)] }),
  ],
  [
    'CAPS_EXPIRED',
    'a request at its end',
    async () => ({
      request: await request([ben], { at: later(-2000), expires: NOW }),
      proof: [await cert(ana, ben.key)],
    }),
  ],
  [
    'CAPS_EXPIRED',
    'a root at its end',
    async () => ({ proof: [await cert(ana, ben.key)], input: { roots: [{ ...ROOT, expires: NOW }] } }),
  ],
  [
    'CAPS_REVOKED',
    'a certificate that its issuer revoked',
    async () => {
      const first = await cert(ana, eva.key)
      const second = await cert(eva, ben.key)
      return { proof: [first, second], input: { revocations: viewOf([await revoke(eva, second)]) } }
    },
  ],
  [
    'CAPS_REVOKED',
    'a certificate that one above its issuer revoked',
    async () => {
      const second = await cert(eva, ben.key)
      return { proof: [await cert(ana, eva.key), second], input: { revocations: viewOf([await revoke(ana, second)]) } }
    },
  ],
  [
    'CAPS_REVOKED',
    'a certificate that the keeper of the root revoked',
    async () => {
      const first = await cert(ana, ben.key)
      const revoked = await revoke(tom, first)
      const sets = [await setOf(tom, later(-1000), later(DAY), [revoked])]
      return { proof: [first], input: { roots: [kept], revocations: viewOf([revoked], sets) } }
    },
  ],
  [
    'CAPS_KEY_REVOKED',
    'a certificate by a key that says it was stolen',
    async () => ({
      proof: [await cert(ana, eva.key), await cert(eva, ben.key)],
      input: { revocations: viewOf([await revoke(eva, { key: eva.key }, 'key-compromise')]) },
    }),
  ],
  [
    'CAPS_KEY_REVOKED',
    'a request by a key that the root revoked',
    async () => ({
      proof: [await cert(ana, ben.key)],
      input: { revocations: viewOf([await revoke(ana, { key: ben.key }, 'key-compromise')]) },
    }),
  ],
  [
    'CAPS_STALE',
    'no set of the keeper of the root',
    async () => ({ proof: [await cert(ana, ben.key)], input: { roots: [kept], revocations: viewOf([]) } }),
  ],
  [
    'CAPS_STALE',
    'a set whose successor is due, for an action that needs the present one',
    async () => ({
      proof: [await cert(ana, ben.key)],
      input: { roots: [kept], revocations: viewOf([], [await setOf(tom, later(-2000), NOW)]) },
    }),
  ],
  [
    'CAPS_STALE',
    'a set that begins later',
    async () => ({
      proof: [await cert(ana, ben.key)],
      input: { roots: [kept], revocations: viewOf([], [await setOf(tom, later(1000), later(DAY))]) },
    }),
  ],
  [
    'CAPS_STALE',
    'a set that lists a revocation which is not here',
    async () => {
      const hidden = await revoke(tom, await cert(ana, ben.key))
      const sets = [await setOf(tom, later(-1000), later(DAY), [hidden])]
      return { proof: [await cert(ana, ben.key)], input: { roots: [kept], revocations: viewOf([], sets) } }
    },
  ],
  [
    'CAPS_STALE',
    'two sets that contradict each other',
    async () => {
      const sets = [await setOf(tom, later(-1000), later(DAY)), await setOf(tom, later(-1000), later(2 * DAY))]
      return { proof: [await cert(ana, ben.key)], input: { roots: [kept], revocations: viewOf([], sets) } }
    },
  ],
  [
    'CAPS_STALE',
    'a set signed by somebody else',
    async () => ({
      proof: [await cert(ana, ben.key)],
      input: {
        roots: [kept],
        revocations: viewOf(
          [],
          [
            await createRevocationSet({ issuer: tom.key, from: later(-1000), next: later(DAY), revocations: [] }, [
              mia,
            ]),
          ],
        ),
      },
    }),
  ],
  [
    'CAPS_STALE',
    'a certificate that needs a set, and none is looked at',
    async () => ({ proof: [await cert(ana, ben.key, { checks: [{ by: tom.key, maxAge: 3600 }] })] }),
  ],
  [
    'CAPS_STALE',
    'a certificate that needs a fresher set',
    async () => ({
      proof: [await cert(ana, ben.key, { checks: [{ by: tom.key, maxAge: 3600 }] })],
      input: { revocations: viewOf([], [await setOf(tom, later(-3601 * 1000), later(DAY))]) },
    }),
  ],
  [
    'CAPS_KEYS_UNKNOWN',
    'a vault whose keys are not known',
    async () => ({ proof: [await ofHouse(mia, 0)], input: { roots: [houseRoot] } }),
  ],
  [
    'CAPS_EPOCH',
    'a key event that is not known',
    async () => ({ proof: [await ofHouse(mia, 1)], input: { roots: [houseRoot], keys: knowing(states, 0) } }),
  ],
  [
    'CAPS_EPOCH',
    'keys that were lost',
    async () => ({ proof: [await ofHouse(mia, 0)], input: { roots: [houseRoot], keys: knowing(lost) } }),
  ],
  [
    'CAPS_EPOCH',
    'a certificate for ever by replaced keys',
    async () => ({ proof: [await ofHouse(mia, 0, null)], input: { roots: [houseRoot], keys: knowing(states) } }),
  ],
  [
    'CAPS_SIGNATURE',
    'present keys in the name of replaced ones',
    async () => ({ proof: [await ofHouse(tom, 0)], input: { roots: [houseRoot], keys: knowing(states) } }),
  ],
  [
    'CAPS_SIGNATURE',
    'a certificate signed by somebody else',
    async () => ({ proof: [await cert(eva, ben.key, { issuer: ana.key })] }),
  ],
  [
    'CAPS_SIGNATURE',
    'a certificate that was changed',
    async () => {
      const { payload, signatures } = await cert(ana, ben.key)
      const changed = payload.slice()
      // The nonce stands somewhere in the bytes; any of them will do that leaves a certificate.
      for (let i = changed.length - 1; i >= 0; i--) {
        changed[i] = (changed[i] as number) ^ 1
        try {
          openCapCert({ payload: changed, signatures })
          return { proof: [{ payload: changed, signatures }] }
        } catch {
          changed[i] = (changed[i] as number) ^ 1
        }
      }
      throw new Error('no byte can be changed')
    },
  ],
  [
    'CAPS_SIGNATURE',
    'a signature under another type',
    async () => {
      const { payload } = await cert(ana, ben.key)
      return { proof: [await signEnvelope('cap-request', payload, [ana])] }
    },
  ],
  [
    'CAPS_BELOW_THRESHOLD',
    'one of two',
    async () => ({ proof: [await cert([ana], tom.key, { issuer: trio })], input: { roots: [council] } }),
  ],
  [
    'CAPS_BELOW_THRESHOLD',
    'keys that are no members',
    async () => ({ proof: [await cert([ana, mia, tom], ben.key, { issuer: trio })], input: { roots: [council] } }),
  ],
  [
    'CAPS_BELOW_THRESHOLD',
    'a request by one of two',
    async () => ({ request: await request([ben]), proof: [], input: { roots: [council] } }),
  ],
  [
    'CAPS_NOT_DISTINCT',
    'one key three times',
    async () => ({ proof: [await cert([ana, ana, ana], tom.key, { issuer: trio })], input: { roots: [council] } }),
  ],
  [
    'CAPS_NOT_DISTINCT',
    'one key under two names',
    async () => {
      const twice = thresholdPrincipal(2, [ana.key, hashPrincipal(ana.key), ben.key])
      return {
        proof: [await cert([ana], tom.key, { issuer: twice })],
        input: { roots: [{ ...council, subject: twice }] },
      }
    },
  ],
  [
    'CAPS_NOT_DISTINCT',
    'a vault and its only operator',
    async () => {
      const both = thresholdPrincipal(2, [tom.key, house])
      return {
        request: await request([tom]),
        proof: [],
        input: { roots: [{ ...council, subject: both }], keys: knowing(states) },
      }
    },
  ],
  [
    'CAPS_NOT_SIGNER',
    'a request by somebody else',
    async () => ({ request: await request([eva]), proof: [await cert(ana, ben.key)] }),
  ],
  [
    'CAPS_NOT_SIGNER',
    'replaced keys that ask',
    async () => ({ request: await request([mia]), proof: [], input: { roots: [houseRoot], keys: knowing(states) } }),
  ],
]

test.each(refusals)('%s: %s', async (code, _, make) => {
  const made = await make()
  const verdict = authorizeHere(made.request ?? (await request([ben])), made.proof, made.input)
  expect(verdict.ok ? 'granted' : verdict.code).toBe(code)
  const refused = verdict.trace.filter(({ refusal }) => refusal !== undefined)
  expect(refused.map(({ refusal }) => refusal?.code)).toEqual([code])
})
