import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { VaultId } from '@vault/core'
import { contentId, createSigner, generateSecretKey, systemClock, systemRandom, utf8 } from '@vault/core'
import { encodeFrame } from '@vault/transfer/frame'
import { expect, test } from 'vitest'
import { httpPlace } from '../../src/http/http-place.ts'
import { createPeerCredentials } from '../../src/http/peer-certificate.ts'

const anyKey = () => createSigner(generateSecretKey(systemRandom))
const idOf = (text: string) => contentId(utf8(text), { hash: 'sha2-256', codec: 'dag-cbor' }) as VaultId
const NOTHING = {
  ...{ objects: 0, bytes: 0, entries: 0, versions: 0, objectsRemoved: 0, entriesRemoved: 0, rounds: 0, batches: 0 },
}

test('a place that was asked about one vault tells of no other one how its move ended', async () => {
  const signer = anyKey()
  const [asked, other] = [idOf('asked'), idOf('other')]
  const state = {
    ...{ type: 'migration-state', v: 1, migration: '0'.repeat(32), phase: 'rolled-back', planned: 0, sent: NOTHING },
    ...{ statement: null, verification: null, reason: null, certificate: null },
  }
  let told = other
  const pair = await createPeerCredentials(signer, { clock: systemClock, random: systemRandom })
  const options = { requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' } as const
  const server = createServer({ ...pair, ...options }, (request, response) => {
    request.resume()
    void encodeFrame({ type: 'moved', state: { ...state, vault: told } }).then((frame) => response.end(frame))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  await using place = httpPlace(url, { place: anyKey(), peerKey: signer.key })
  const request = { to: { url, key: signer.key }, migration: null, reason: null }
  try {
    const events = () => Array.fromAsync(place.takeBack(asked, request))
    await expect(events()).rejects.toMatchObject({ code: 'HTTP_ANSWER_INVALID' })
    told = asked
    expect(await events()).toMatchObject([{ type: 'moved', state: { vault: asked } }])
  } finally {
    server.close()
  }
})
