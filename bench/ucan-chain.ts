import { EdDSASigner } from 'iso-signatures/signers/eddsa.js'
import type { ISigner, VerifyInput } from 'iso-signatures/types'
import { verifier } from 'iso-signatures/verifiers/eddsa.js'
import { Resolver } from 'iso-signatures/verifiers/resolver.js'
import { Delegation } from 'iso-ucan/delegation'
import * as envelope from 'iso-ucan/envelope'
import { assertProofs, Invocation } from 'iso-ucan/invocation'
import { type Chain, changesOf, lengthOf } from './chain.ts'

const DAY = 24 * 60 * 60

/**
 * Delegations and an invocation of UCAN 1.0, by iso-ucan: one command, for one vault. The delegations lie as text under their CID, as in
 * its own store. `verify` is used in place of the Ed25519 that it brings.
 */
export async function ucanChain(
  secrets: readonly Uint8Array[],
  vault: string,
  verify?: (input: VerifyInput) => boolean,
): Promise<Chain> {
  // Its declarations of signers do not agree with each other where optional members are taken exactly.
  const people = (await Promise.all(secrets.map((secret) => EdDSASigner.generate(secret)))) as unknown as ISigner[]
  const [owner, asking] = [people[0], people.at(-1)] as [ISigner, ISigner]
  // It holds invocations against the clock of the machine.
  const now = Math.floor(Date.now() / 1000)
  const exp = now + DAY
  const delegations = await Promise.all(
    people.slice(1).map(({ did: aud }, i) => {
      const iss = people[i] as ISigner
      return Delegation.create({ iss, aud, sub: owner.did, cmd: '/vault', pol: [['==', '.vault', vault]], exp })
    }),
  )
  const invocation = {
    iss: asking.did,
    aud: owner.did,
    sub: owner.did,
    cmd: '/vault/migrate',
    args: { vault },
    nonce: new Uint8Array(12).fill(1),
    exp,
    prf: delegations.map(({ cid }) => cid),
  }
  // Its own function to make one makes none that would be refused.
  const invoke = async (changed: Partial<typeof invocation> = {}, signer = asking): Promise<Uint8Array> =>
    envelope.encode(await envelope.sign({ spec: 'inv', signer, payload: { ...invocation, ...changed } }))
  const texts = new Map(delegations.map((each) => [`${each.cid}`, `${each}`]))

  const Ed25519 = verify === undefined ? verifier.Ed25519 : async (input: VerifyInput) => verify(input)
  const cold = new Resolver({ Ed25519 })
  const remembered = new Set<string>()
  const factOf = ({ did, signature, message }: VerifyInput) =>
    `${did.verifiableDid} ${Buffer.from(signature).toString('latin1')} ${Buffer.from(message).toString('latin1')}`
  const warm = new Resolver({
    Ed25519: async (input: VerifyInput) => remembered.has(factOf(input)) || (await Ed25519(input)),
  })
  const noting = new Resolver({
    Ed25519: async (input: VerifyInput) => {
      remembered.add(factOf(input))
      return await Ed25519(input)
    },
  })
  for (const delegation of delegations) await delegation.validate({ verifierResolver: noting })

  const judge = async (bytes: Uint8Array, verifierResolver: Resolver, kept = texts, at = now): Promise<unknown> =>
    await Invocation.from({
      bytes,
      verifierResolver,
      now: at,
      resolveProof: async (cid) => await Delegation.fromString(kept.get(`${cid}`) as string, { now: at }),
    })
  const shown = await invoke()
  const grants = delegations.map(({ bytes }) => bytes)
  const [strayed, elsewhere, stolen] = [
    await invoke({ cmd: '/other/migrate' }),
    await invoke({ args: { vault: 'another' } }),
    await invoke({ iss: (people[1] as ISigner).did }, people[1]),
  ]
  const forged = delegations.flatMap(({ cid, bytes }, i) =>
    changesOf(bytes).map(([what, changed]) => {
      const kept = new Map([...texts, [`${cid}`, Buffer.from(changed).toString('base64').replace(/=+$/, '')]])
      return [`grant ${i + 1}: ${what}`, () => judge(shown, cold, kept)] as const
    }),
  )
  return {
    grants,
    withRequest: lengthOf([...grants, shown]),
    cold: () => judge(shown, cold),
    warm: () => judge(shown, warm),
    judged: async () => {
      for (const delegation of delegations) await delegation.validate({ verifierResolver: warm, now })
      assertProofs(invocation, delegations)
    },
    refused: new Map<string, () => unknown>([
      ...forged,
      ...changesOf(shown).map(([what, changed]) => [`request: ${what}`, () => judge(changed, cold)] as const),
      ['another action', () => judge(strayed, cold)],
      ['another vault', () => judge(elsewhere, cold)],
      ['a request by another', () => judge(stolen, cold)],
      ['expired', () => judge(shown, cold, texts, exp + 1)],
    ]),
  }
}
