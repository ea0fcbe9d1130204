import { contentId, encodeEnvelope, systemClock, utf8, VaultError } from '@vault/core'
import { type ClientAuthority, type ClientRequest, issuePlaceGrant } from '@vault/embedded'
import { expect, test } from 'vitest'
import { allowedKeys } from '../src/index.ts'
import { LeaveDesk } from '../src/leave-desk.ts'
import { anyKey } from './served.ts'

/** A desk where whoever shows a certificate may. */
async function desk() {
  const { envelope } = await issuePlaceGrant({ to: anyKey().key, expires: null }, anyKey())
  const judge = async ({ proofs }: ClientRequest) => {
    if (proofs.certificates.length === 0) throw new VaultError({ code: 'CAPS_DENIED', message: 'Nothing is shown.' })
  }
  const certificates = { judge } as unknown as ClientAuthority
  const { signal } = new AbortController()
  const leave = new LeaveDesk({ authorize: allowedKeys([]), certificates, clock: systemClock, signal })
  return { leave, proofs: [encodeEnvelope(envelope)] }
}

const network = '127.0.0.1'
const vaults = Array.from({ length: 300 }, (_, i) => contentId(utf8(`vault ${i}`)))
const [first, ...others] = vaults
if (first === undefined) throw new Error('there are many')

test('what a client has shown is not pushed out by another one, however much that shows', async () => {
  const { leave, proofs } = await desk()
  const [mine, theirs] = [anyKey(), anyKey()]
  await leave.show(proofs, 'write', { key: mine.key, vault: first, network })
  for (const vault of others) await leave.show(proofs, 'write', { key: theirs.key, vault, network })
  await leave.require('write', { key: mine.key, vault: first, network })
})

test('what is used stays, and what is not is forgotten', async () => {
  const { leave, proofs } = await desk()
  const { key } = anyKey()
  const [unused = first] = others
  for (const vault of [first, unused]) await leave.show(proofs, 'write', { key, vault, network })
  for (const vault of others.slice(1)) {
    await leave.show(proofs, 'write', { key, vault, network })
    await leave.require('write', { key, vault: first, network })
  }
  await expect(leave.require('write', { key, vault: unused, network })).rejects.toMatchObject({
    code: 'HTTP_NOT_ALLOWED',
  })
})

test('a request goes on by what was shown before it, also where that is forgotten meanwhile', async () => {
  const { leave, proofs } = await desk()
  const client = { key: anyKey().key, vault: first, network }
  await leave.show(proofs, 'migrate', client)
  const mayGoOn = leave.throughout(client)
  for (const vault of others) await leave.show(proofs, 'migrate', { ...client, vault })
  await expect(leave.require('migrate', client)).rejects.toMatchObject({ code: 'HTTP_NOT_ALLOWED' })
  await mayGoOn('migrate')
})
