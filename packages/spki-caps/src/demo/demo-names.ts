import { openNameCert } from '../name-cert.ts'
import { namePrincipal, thresholdPrincipal } from '../principal.ts'
import { ana, ask, ben, callBy, eva, grant, hours, mia, ROOT, revoke } from './demo-cast.ts'
import type { Add } from './demo-chains.ts'

const staff = namePrincipal(ana.key, 'staff')
const clerks = namePrincipal(ana.key, 'clerks')

/** Chains that grant to names. */
export async function addNames(add: Add): Promise<void> {
  const granted = await grant([ana], staff)
  const member = await callBy(ana, 'staff', ben.key)
  add('granted to a name', undefined, { proof: [granted, member] })
  add('granted to a name of a name, and found in a heap', undefined, {
    proof: [
      await callBy(mia, 'staff', ben.key),
      await callBy(ana, 'firm', mia.key),
      await grant([ana], namePrincipal(ana.key, 'firm', 'staff')),
    ],
    given: 'heap',
  })
  add('granted on by one who is called so', undefined, {
    proof: [
      granted,
      await callBy(ana, 'staff', clerks),
      await callBy(ana, 'clerks', eva.key),
      await grant([eva], ben.key),
    ],
  })
  const both = await grant([ana], thresholdPrincipal(2, [staff, clerks]))
  const asked = await ask([ben, eva])
  add('granted to one of each of two names', undefined, {
    proof: [both, member, await callBy(ana, 'clerks', eva.key)],
    request: asked,
  })
  add('one who is called by both of two names', 'CAPS_NOT_DISTINCT', {
    proof: [both, member, await callBy(ana, 'clerks', ben.key)],
  })
  const hands = namePrincipal(mia.key, 'hands')
  add('two whom one calls by a name of his own', 'CAPS_NOT_DISTINCT', {
    proof: [
      both,
      await callBy(ana, 'staff', hands),
      await callBy(ana, 'clerks', hands),
      await callBy(mia, 'hands', ben.key),
      await callBy(mia, 'hands', eva.key),
    ],
    request: asked,
  })
  add('a name before it is granted to', 'CAPS_NO_ROOT', { proof: [member, granted] })
  add('a name of somebody else', 'CAPS_CHAIN_BROKEN', { proof: [granted, await callBy(eva, 'staff', ben.key)] })
  add('a name that leads nowhere', 'CAPS_CHAIN_BROKEN', {
    proof: [
      await grant([ana], namePrincipal(ana.key, 'firm', 'staff')),
      await callBy(ana, 'firm', thresholdPrincipal(1, [ben.key, mia.key])),
    ],
  })
  add('a name that leads back to itself', 'CAPS_CYCLIC', {
    proof: [granted, await callBy(ana, 'staff', clerks), await callBy(ana, 'clerks', staff), member],
  })
  add('called so until an hour ago', 'CAPS_EXPIRED', {
    proof: [granted, await callBy(ana, 'staff', ben.key, hours(-1))],
  })
  add('somebody who is not called so', 'CAPS_NOT_SIGNER', { proof: [granted, member], request: await ask([eva]) })
  add('called so no more', 'CAPS_REVOKED', {
    proof: [granted, member],
    revocations: { revocations: [await revoke(ana, { certificate: openNameCert(member).id })], sets: [] },
  })
  add('a root that is a name', undefined, { proof: [member], roots: [{ ...ROOT, subject: staff, delegate: false }] })
}
