import type { Envelope } from '@vault/core'
import { contentId, encode, signEnvelope, utf8, verifyKeyHistory } from '@vault/core'
import { CAP_CERT, openCapCert } from '../cap-cert.ts'
import { openCapRequest } from '../cap-request.ts'
import type { CapsFindingCode } from '../finding-code.ts'
import { hashPrincipal, thresholdPrincipal, vaultPrincipal } from '../principal.ts'
import type { Root } from '../root.ts'
import { vaultTag } from '../vault-tag.ts'
import {
  ana,
  ask,
  ben,
  demoSigner,
  eva,
  grant,
  hours,
  lostVault,
  mia,
  NOW,
  ROOT,
  revoke,
  VAULT,
  validate,
} from './demo-cast.ts'
import type { DemoChain } from './demo-chain.ts'
import { addNames } from './demo-names.ts'

/** What a chain has besides ben's request to migrate, ana's root, and the rest that most of them have in common. */
type Told = Partial<Omit<DemoChain, 'name' | 'code'>> & Pick<DemoChain, 'proof'>

/**
 * Chains that are granted, and for each code of a refusal one that is refused with it: the same bytes in every call, made from fixed keys.
 * For whoever wants to see what a refusal looks like, or to hold another implementation against this one.
 */
export async function demoChains(): Promise<readonly DemoChain[]> {
  const request = await ask([ben])
  const chains: DemoChain[] = []
  const add = (name: string, code: CapsFindingCode | undefined, told: Told) =>
    chains.push({
      name,
      ...(code === undefined ? {} : { code }),
      request,
      given: 'proof',
      roots: [ROOT],
      audience: VAULT,
      now: NOW,
      histories: [],
      revocations: 'unchecked',
      ledger: 'empty',
      ...told,
    })
  await addGranted(add)
  await addRefusedRequests(add)
  await addRefusedChains(add)
  await addRefusedCertificates(add)
  await addRefusedSigners(add)
  await addValidated(add, request)
  await addNames(add)
  return chains
}

/** Adds a chain to the others. */
export type Add = (name: string, code: CapsFindingCode | undefined, told: Told) => void

const trio = thresholdPrincipal(2, [ana.key, ben.key, eva.key])
const council: Root = { ...ROOT, name: 'council', subject: trio }
const kept: Root = { ...ROOT, revocations: mia.key }

async function addGranted(add: Add): Promise<void> {
  const [first, second] = [await grant([ana], eva.key), await grant([eva], ben.key)]
  add('one certificate', undefined, { proof: [await grant([ana], ben.key)] })
  add('granted on by one who may', undefined, { proof: [first, second] })
  add('found in a heap', undefined, { proof: [second, first], given: 'heap' })
  add('granted by two of three', undefined, {
    proof: [await grant([ana, eva], mia.key, { issuer: trio })],
    request: await ask([mia]),
    roots: [council],
  })
}

async function addRefusedRequests(add: Add): Promise<void> {
  const proof = [await grant([ana], ben.key)]
  add('a request for another vault', 'CAPS_AUDIENCE', {
    proof,
    request: await ask([ben], { audience: contentId(utf8('elsewhere'), { hash: 'sha2-256', codec: 'dag-cbor' }) }),
  })
  add('a request that was taken before', 'CAPS_REPLAY', { proof, ledger: 'seen' })
  add('a ledger without room', 'CAPS_NONCES_FULL', { proof, ledger: 'full' })
  add('a request by somebody else', 'CAPS_NOT_SIGNER', { proof, request: await ask([eva]) })
  add('a request for what was not granted', 'CAPS_NOT_COVERED', {
    proof,
    request: await ask([ben], { action: 'delete' }),
  })
  add('a certificate that cannot be read', 'CAPS_MALFORMED', {
    proof: [await signEnvelope(CAP_CERT, encode({ type: CAP_CERT, v: 1 }), [ana])],
  })
  const often = Array.from({ length: 65 }, () => ana)
  add('more signatures than are looked at', 'CAPS_TOO_LARGE', { proof: [await grant(often, ben.key)] })
}

async function addRefusedChains(add: Add): Promise<void> {
  const [first, last] = [await grant([ana], eva.key), await grant([eva], ben.key)]
  add('a chain that begins with nobody whom a root knows', 'CAPS_NO_ROOT', { proof: [last] })
  add('a heap without the first certificate', 'CAPS_NO_CHAIN', { proof: [last], given: 'heap' })
  add('a stranger in the middle', 'CAPS_CHAIN_BROKEN', { proof: [first, await grant([mia], ben.key)] })
  add('a circle', 'CAPS_CYCLIC', { proof: [first, await grant([eva], ana.key), await grant([ana], ben.key)] })
  const kept = await grant([ana], eva.key, { delegate: false })
  add('granted on by one who may not', 'CAPS_NOT_DELEGABLE', { proof: [kept, last] })
  const shallow = await grant([ana], eva.key, { depth: 1 })
  add('granted on once too often', 'CAPS_TOO_DEEP', {
    proof: [shallow, await grant([eva], mia.key), await grant([mia], ben.key)],
  })
  add('a grant of what its issuer does not hold', 'CAPS_TAG_EMPTY', {
    proof: [first, await grant([eva], ben.key, { tag: vaultTag({ actions: ['delete'], object: VAULT }) })],
  })
}

async function addRefusedCertificates(add: Add): Promise<void> {
  const first = await grant([ana], ben.key)
  const revocation = (envelope: Envelope) => ({ revocations: [envelope], sets: [] })
  add('not valid yet', 'CAPS_NOT_YET', { proof: [await grant([ana], ben.key, { notBefore: hours(1) })] })
  add('not valid any more', 'CAPS_EXPIRED', { proof: [await grant([ana], ben.key, { expires: hours(-1) })] })
  add('revoked by its issuer', 'CAPS_REVOKED', {
    proof: [first],
    revocations: revocation(await revoke(ana, { certificate: openCapCert(first).id })),
  })
  add('signed by a key that was revoked', 'CAPS_KEY_REVOKED', {
    proof: [first],
    revocations: revocation(await revoke(ana, { key: ana.key })),
  })
  add('no set of revocations where one is kept', 'CAPS_STALE', {
    proof: [first],
    roots: [kept],
    revocations: { revocations: [], sets: [] },
  })
}

async function addRefusedSigners(add: Add): Promise<void> {
  const history = await lostVault()
  const house = vaultPrincipal(verifyKeyHistory(history).vault)
  const told = {
    proof: [await grant([mia], ben.key, { issuer: house, epoch: 0 })],
    roots: [{ ...ROOT, subject: house }],
  }
  add('a vault whose keys are not known', 'CAPS_KEYS_UNKNOWN', told)
  add('by the keys of a vault that were lost', 'CAPS_EPOCH', { ...told, histories: [history] })
  add('signed by somebody else', 'CAPS_SIGNATURE', { proof: [await grant([eva], ben.key, { issuer: ana.key })] })
  add('signed by one of two', 'CAPS_BELOW_THRESHOLD', {
    proof: [await grant([ana, demoSigner('tom')], ben.key, { issuer: trio })],
    roots: [council],
  })
  const twice = thresholdPrincipal(2, [ana.key, hashPrincipal(ana.key), ben.key])
  add('signed twice by one', 'CAPS_NOT_DISTINCT', {
    proof: [await grant([ana], mia.key, { issuer: twice })],
    request: await ask([mia]),
    roots: [{ ...council, subject: twice }],
  })
}

/** Certificates that hold only while mia says so. */
async function addValidated(add: Add, request: Envelope): Promise<void> {
  const lately = await grant([ana], ben.key, { checks: [{ by: mia.key, maxAge: 600, kind: 'validation' }] })
  const once = await grant([ana], ben.key, { checks: [{ by: mia.key, maxAge: 600, kind: 'once' }] })
  const { id } = openCapRequest(request)
  const good = await validate(mia, lately)
  add('validated a minute ago', undefined, { proof: [lately], validations: [good] })
  add('found in a heap, validated', undefined, { proof: [lately], given: 'heap', validations: [good] })
  add('validated for this one request', undefined, {
    proof: [once],
    validations: [await validate(mia, once, { request: id })],
  })
  const refused: readonly (readonly [name: string, proof: Envelope, validations: readonly Envelope[]])[] = [
    ['not validated', lately, []],
    ['validated by somebody else', lately, [await validate(eva, lately)]],
    ['validated too long ago', lately, [await validate(mia, lately, { from: hours(-1), until: hours(1) })]],
    ['validated up to now', lately, [await validate(mia, lately, { until: NOW })]],
    ['validated for later', lately, [await validate(mia, lately, { from: hours(1), until: hours(2) })]],
    ['another certificate is validated', lately, [await validate(mia, once)]],
    ['validated for one request, where all are asked for', lately, [await validate(mia, lately, { request: id })]],
    ['validated for another request', once, [await validate(mia, once, { request: openCapCert(once).id })]],
    ['validated for all requests, where this one is asked for', once, [await validate(mia, once)]],
  ]
  for (const [name, cert, validations] of refused) {
    add(name, 'CAPS_NOT_VALIDATED', { proof: [cert], validations })
  }
}
