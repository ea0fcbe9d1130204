import type { Envelope, KeyState, Signer } from '@vault/core'
import { contentId, encode, mergeEnvelopes, signEnvelope, utf8 } from '@vault/core'
import type { AuthorizeInput, CapsFindingCode, Principal, Root } from '@vault/spki-caps'
import {
  createKeyDirectory,
  createNonceLedger,
  createRevocationSet,
  createRevocationView,
  hashPrincipal,
  openCapCert,
  principalText,
  thresholdPrincipal,
  vaultPrincipal,
  vaultTag,
} from '@vault/spki-caps'
import { describe, expect, it, test } from 'vitest'
import {
  ALL,
  ana,
  authorizeHere,
  ben,
  cert,
  DAY,
  eva,
  HERE,
  keyStates,
  later,
  MIGRATE,
  mia,
  NOW,
  ROOT,
  request,
  revoke,
  signer,
  tom,
} from './world.ts'

const NO_KEYS = createKeyDirectory([])
const trio = thresholdPrincipal(2, [ana.key, ben.key, eva.key])
const council: Root = { ...ROOT, name: 'council', subject: trio }
const kept: Root = { ...ROOT, revocations: tom.key }

/** What stands between a request and its answer. */
interface Case {
  readonly request?: Envelope
  readonly proof: readonly Envelope[]
  readonly input?: Partial<AuthorizeInput>
}

const viewOf = (revocations: readonly Envelope[], sets: readonly Envelope[] = []) =>
  createRevocationView({ revocations, sets, keys: NO_KEYS })

const setOf = async (issuer: Signer, from: Date, next: Date, revocations: readonly Envelope[] = []) =>
  await createRevocationSet(
    {
      issuer: issuer.key,
      from,
      next,
      revocations: revocations.map(({ payload }) => contentId(payload, { hash: 'sha2-256', codec: 'dag-cbor' })),
    },
    [issuer],
  )

const long = async (count: number): Promise<readonly Envelope[]> => {
  const people = [ana, ...Array.from({ length: count }, (_, i) => signer(`person ${i}`))]
  return await Promise.all(people.slice(1).map(({ key }, i) => cert(people[i] as Signer, key)))
}

const states = await keyStates([{ operators: [mia] }, { operators: [tom] }])
const lost = await keyStates([{ operators: [mia] }, { operators: [tom], why: 'recover' }])
const house = vaultPrincipal((states[0] as KeyState).vault)
const houseRoot: Root = { ...ROOT, name: 'house', subject: house }
const knowing = (known: readonly KeyState[], at = known.length - 1) => createKeyDirectory([known[at] as KeyState])
const ofHouse = async (by: Signer, epoch: number, expires: Date | null = later(DAY)) =>
  await cert(by, ben.key, { issuer: house, epoch, expires })

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

test('CAPS_REPLAY: a request is taken once, and only when it is granted', async () => {
  const nonces = createNonceLedger()
  const asked = await request([ben])
  const proof = [await cert(ana, ben.key)]
  expect(authorizeHere(asked, [], { nonces })).toMatchObject({ ok: false })
  expect(authorizeHere(asked, proof, { nonces })).toMatchObject({ ok: true })
  expect(authorizeHere(asked, proof, { nonces })).toMatchObject({ ok: false, code: 'CAPS_REPLAY' })
})

describe('what is granted', () => {
  const granted = async (made: Case) => authorizeHere(made.request ?? (await request([ben])), made.proof, made.input)

  it('is what all certificates of a chain grant, until the first of them ends', async () => {
    const proof = [
      await cert(ana, eva.key, {
        tag: vaultTag({ actions: ['migrate', 'write'], object: HERE }),
        expires: later(5000),
      }),
      await cert(eva, ben.key, { tag: vaultTag({ actions: ['migrate', 'read'], object: HERE }), delegate: false }),
    ]
    const verdict = await granted({ proof })
    expect(verdict).toMatchObject({
      ok: true,
      effective: { root: 'ana', tag: MIGRATE, expires: later(5000).getTime() / 1000 },
    })
  })

  it('needs no certificate for the root itself', async () => {
    expect(await granted({ request: await request([ana]), proof: [] })).toMatchObject({
      ok: true,
      effective: { tag: ALL },
    })
  })

  it('may come from any of several roots', async () => {
    const other: Root = { ...ROOT, name: 'other', tag: vaultTag({ actions: ['read'], object: HERE }) }
    const proof = [await cert(ana, ben.key)]
    expect(await granted({ proof, input: { roots: [other, ROOT] } })).toMatchObject({
      ok: true,
      effective: { root: 'ana' },
    })
  })

  it('goes to a key by its hash, and on from there', async () => {
    const hashed = hashPrincipal(eva.key)
    const byKey = [await cert(ana, hashed), await cert(eva, ben.key)]
    const byHash = [await cert(ana, hashed), await cert(eva, ben.key, { issuer: hashed })]
    expect(await granted({ proof: byKey })).toMatchObject({ ok: true })
    expect(await granted({ proof: byHash })).toMatchObject({ ok: true })
    expect(await granted({ request: await request([eva]), proof: byKey.slice(0, 1) })).toMatchObject({ ok: true })
  })

  it('takes any order of signatures, whoever else signs, and signatures that are added', async () => {
    const payloads = [await cert([ben, tom], tom.key, { issuer: trio })]
    const one = payloads[0] as Envelope
    const added = await signEnvelope('cap', one.payload, [ana])
    const proof = [mergeEnvelopes([one, added])]
    expect(await granted({ request: await request([tom]), proof, input: { roots: [council] } })).toMatchObject({
      ok: true,
    })
  })

  it('leads through certificates of members of a threshold, enough of them', async () => {
    const byBen = await cert(ben, mia.key)
    const byEva = await cert(eva, tom.key)
    const both = { request: await request([mia, tom]), proof: [byBen, byEva], input: { roots: [council] } }
    expect(await granted(both)).toMatchObject({ ok: true })
    expect(await granted({ ...both, request: await request([mia]) })).toMatchObject({
      ok: false,
      code: 'CAPS_NOT_SIGNER',
    })
    expect(await granted({ ...both, request: await request([mia]), proof: [byBen] })).toMatchObject({
      ok: false,
      code: 'CAPS_BELOW_THRESHOLD',
    })
  })

  it('lets two members of a threshold grant to one person, and one member not twice', async () => {
    const one = { request: await request([mia]), input: { roots: [council] } }
    expect(await granted({ ...one, proof: [await cert(ben, mia.key), await cert(eva, mia.key)] })).toMatchObject({
      ok: true,
    })
    expect(await granted({ ...one, proof: [await cert(ben, mia.key), await cert(ben, mia.key)] })).toMatchObject({
      ok: false,
    })
  })

  it('bounds what a member of a threshold grants by all from whom it comes', async () => {
    const read = vaultTag({ actions: ['read'], object: HERE })
    const proof = [
      await cert([ben, eva], thresholdPrincipal(1, [mia.key, tom.key]), { issuer: trio, tag: read }),
      await cert(mia, ben.key),
    ]
    expect(await granted({ proof, input: { roots: [council] } })).toMatchObject({ ok: false, code: 'CAPS_NOT_COVERED' })
  })

  it('does not let what an operator grants speak for the vault', async () => {
    const proof = [await cert(tom, ben.key)]
    const roots = [
      houseRoot,
      { ...ROOT, name: 'tom', subject: tom.key, tag: vaultTag({ actions: ['read'], object: HERE }) },
    ]
    expect(await granted({ proof, input: { roots, keys: knowing(states) } })).toMatchObject({ ok: false })
    const both = thresholdPrincipal(2, [tom.key, house])
    const input = { roots: [{ ...council, subject: both }], keys: knowing(states) }
    expect(await granted({ proof, input })).toMatchObject({ ok: false })
  })

  it('needs no revoked key where a threshold has enough others', async () => {
    const proof = [await cert([ana, ben, eva], tom.key, { issuer: trio })]
    const revocations = viewOf([await revoke(eva, { key: eva.key }, 'key-compromise')])
    expect(
      await granted({ request: await request([tom]), proof, input: { roots: [council], revocations } }),
    ).toMatchObject({
      ok: true,
    })
  })

  it('is not revoked by those who have no part in it', async () => {
    const first = await cert(ana, eva.key)
    const second = await cert(eva, ben.key)
    const strangers = [await revoke(ben, first), await revoke(mia, second), await revoke(mia, { key: eva.key })]
    expect(await granted({ proof: [first, second], input: { revocations: viewOf(strangers) } })).toMatchObject({
      ok: true,
    })
  })

  it('is as fresh as the action needs', async () => {
    const sets = [await setOf(tom, later(-23 * 60 * 60 * 1000), later(-1000))]
    const input = { roots: [kept], revocations: viewOf([], sets) }
    const proof = [await cert(ana, ben.key)]
    const asked = async (action: string) => authorizeHere(await request([ben], { action }), proof, input)
    expect(await asked('read')).toMatchObject({ ok: true })
    expect(await asked('write')).toMatchObject({ ok: false, code: 'CAPS_STALE' })
    expect(await asked('toString')).toMatchObject({ ok: false, code: 'CAPS_STALE' })
  })
})

describe('a vault as principal', () => {
  it('is whoever its operators are, before and after they are replaced', async () => {
    const proof = [await cert(ana, house), await cert(tom, ben.key, { issuer: house, epoch: 1 })]
    expect(authorizeHere(await request([ben]), proof, { keys: knowing(states) })).toMatchObject({ ok: true })
    expect(authorizeHere(await request([tom]), proof.slice(0, 1), { keys: knowing(states) })).toMatchObject({
      ok: true,
    })
  })

  it('keeps what it granted for a time when its keys are replaced in good order, and says what is not known', async () => {
    const verdict = authorizeHere(await request([ben]), [await ofHouse(mia, 0)], {
      roots: [houseRoot],
      keys: knowing(states),
    })
    expect(verdict).toMatchObject({ ok: true })
    expect(verdict.trace[1]?.checks.find(({ name }) => name === 'keys')?.state).toBe('unchecked')
  })

  it('keeps what it provably granted before its keys were lost', async () => {
    const granted = await ofHouse(mia, 0, null)
    const anchored = (claim: { readonly certificate: string; readonly seq: number }) =>
      claim.certificate === openCapCert(granted).id && claim.seq === 1
    const input = { roots: [houseRoot], keys: createKeyDirectory([lost[1] as KeyState], anchored) }
    expect(authorizeHere(await request([ben]), [granted], input)).toMatchObject({ ok: true })
    expect(authorizeHere(await request([ben]), [await ofHouse(mia, 0, null)], input)).toMatchObject({
      code: 'CAPS_EPOCH',
    })
  })

  it('needs the threshold of its operators', async () => {
    const two = await keyStates([{ operators: [mia, tom].sort((a, b) => (a.key < b.key ? -1 : 1)) }], 2)
    const principal: Principal = vaultPrincipal((two[0] as KeyState).vault)
    const input = { roots: [{ ...ROOT, subject: principal }], keys: knowing(two) }
    expect(authorizeHere(await request([mia]), [], input)).toMatchObject({ ok: false, code: 'CAPS_BELOW_THRESHOLD' })
    expect(authorizeHere(await request([mia, tom]), [], input)).toMatchObject({ ok: true })
    expect(principalText(principal)).toMatch(/^vault:b/)
  })
})
