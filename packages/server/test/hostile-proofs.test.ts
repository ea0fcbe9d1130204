import { request } from 'node:https'
import { encodeEnvelope, type Signer, systemClock, systemRandom, type VaultId } from '@vault/core'
import { issuePlaceGrant } from '@vault/embedded'
import { createPeerCredentials } from '@vault/migration/http'
import { encodeFrame } from '@vault/transfer/frame'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { VaultServer } from '../src/index.ts'
import { anyKey, reach, scratch, serve, vaultIn } from './served.ts'

const operator = anyKey()
let folder: Awaited<ReturnType<typeof scratch>>
let server: VaultServer
let vault: VaultId
const failed: unknown[] = []

beforeAll(async () => {
  folder = await scratch()
  const made = await vaultIn(folder.at('a'), 1)
  vault = made.vault.id
  await made.vault[Symbol.asyncDispose]()
  const certificates = { trust: [operator.key] }
  server = await serve(folder.at('b'), { certificates, failed: (error) => failed.push(error) })
})

afterAll(async () => {
  await server.close()
  await folder[Symbol.asyncDispose]()
})

/** Sends a body to `present`, or to another request, and gives the status and the code of a refusal. */
async function send(client: Signer, body: Uint8Array, call = 'present'): Promise<readonly [number, string]> {
  const pair = await createPeerCredentials(client, { clock: systemClock, random: systemRandom })
  return await new Promise((resolve, reject) => {
    const url = new URL(`/vaults/${vault}/target/${call}`, server.url)
    // Connections that are kept would be those of too many keys from one address.
    const options = { method: 'POST', rejectUnauthorized: false, agent: false, ...pair } as const
    const sent = request(url, options, async (answer) => {
      let text = ''
      for await (const chunk of answer.setEncoding('latin1')) text += chunk
      resolve([answer.statusCode ?? 0, answer.statusCode === 200 ? '' : JSON.parse(text).error.code])
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** As {@link send}, however often this network has to wait for its turn. */
async function patiently(client: Signer, body: Uint8Array): Promise<readonly [number, string]> {
  while (true) {
    const answer = await send(client, body)
    if (answer[0] !== 429) return answer
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

const showing = (proofs: readonly Uint8Array[]) => encodeFrame({ proofs })
const INVALID = [400, 'HTTP_REQUEST_INVALID'] as const
const NOT_ALLOWED = [403, 'HTTP_NOT_ALLOWED'] as const

async function granted(client: Signer, more: { readonly expires?: Date } = {}): Promise<Uint8Array> {
  return encodeEnvelope((await issuePlaceGrant({ to: client.key, expires: null, ...more }, operator)).envelope)
}

test('too many, too long and none are refused, and a good one among them makes them no better', async () => {
  const client = anyKey()
  const good = await granted(client)
  expect(await patiently(client, await showing([]))).toEqual(INVALID)
  expect(await patiently(client, await showing(Array.from({ length: 33 }, () => good)))).toEqual(INVALID)
  expect(await patiently(client, await showing([good, new Uint8Array(33 * 1024)]))).toEqual(INVALID)
  const random = [good, ...Array.from({ length: 3 }, () => systemRandom(31 * 1024))]
  expect(await patiently(client, await showing(random))).toEqual(INVALID)
  expect(await patiently(client, await showing([good, systemRandom(100)]))).toEqual(INVALID)
  // 40 MiB of zeros are a short frame, and are refused by the length that it states.
  expect(await patiently(client, await encodeFrame({ proofs: [new Uint8Array(40 * 1024 * 1024)] }))).toEqual(INVALID)
  // Nothing of it was kept.
  expect(await send(client, await encodeFrame(null), 'place')).toEqual(NOT_ALLOWED)
  expect(await patiently(client, await showing(Array.from({ length: 32 }, () => good)))).toEqual([200, ''])
  expect(await send(client, await encodeFrame(null), 'place')).toEqual([200, ''])
  expect(failed).toEqual([])
})

test('what is shown and grants nothing is not kept, and does not take the place of what was kept', async () => {
  const client = anyKey()
  expect(await patiently(client, await showing([await granted(client)]))).toEqual([200, ''])
  const expired = await granted(client, { expires: new Date(Date.now() - 1) })
  expect(await patiently(client, await showing([expired]))).toEqual(NOT_ALLOWED)
  expect(await send(client, await encodeFrame(null), 'place')).toEqual([200, ''])
})

test('a certificate in which any byte is another one grants nothing, and nothing fails', {
  timeout: 120_000,
}, async () => {
  const client = anyKey()
  const good = await granted(client)
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
  const flips = fc.sample(fc.record({ at: fc.nat(good.length - 1), by: fc.integer({ min: 1, max: 255 }) }), {
    numRuns: Number(process.env.FLIPPED_PROOFS ?? 40),
    seed,
  })
  const bad: unknown[] = []
  for (const flip of flips) {
    const bytes = Uint8Array.from(good)
    bytes[flip.at] = (bytes[flip.at] as number) ^ flip.by
    const [status] = await patiently(client, await showing([bytes]))
    if (status !== 400 && status !== 403) bad.push({ flip, status })
  }
  expect({ seed, bad, failed }).toEqual({ seed, bad: [], failed: [] })
})

test('keys cost nothing, so a network that shows again and again is told to wait, whatever its keys', async () => {
  const body = await showing([await granted(anyKey())])
  const answers = await Promise.all(Array.from({ length: 24 }, () => send(anyKey(), body)))
  expect(new Set(answers.map(([status]) => status))).toEqual(new Set([403, 429]))
})

test('more than a server takes is not sent to it', async () => {
  const client = anyKey()
  const proofs = Array.from({ length: 33 }, () => new Uint8Array(1))
  await expect(reach(server, client, vault, { proofs })).rejects.toThrow(RangeError)
  await expect(reach(server, client, vault, { proofs: [new Uint8Array(63 * 1024)] })).rejects.toThrow(RangeError)
})

test('a network that is refused again and again is told to wait, whatever its keys; whom certificates let in is not', async () => {
  const client = anyKey()
  expect(await patiently(client, await showing([await granted(client)]))).toEqual([200, ''])
  const body = await encodeFrame(null)
  expect(await send(client, body, 'place')).toEqual([200, ''])
  const statuses = new Set<number>()
  for (let round = 0; round < 4; round++) {
    const answers = await Promise.all(Array.from({ length: 24 }, () => send(anyKey(), body, 'place')))
    for (const [status] of answers) statuses.add(status)
  }
  expect(statuses).toEqual(new Set([403, 429]))
  expect(await send(client, body, 'place')).toEqual([200, ''])
})

test('whoever shows slowly keeps others of its network waiting only for a moment', async () => {
  const client = anyKey()
  const limits = { headerMs: 2_000 }
  await using slow = await serve(folder.at('c'), { certificates: { trust: [operator.key] }, limits })
  const pair = await createPeerCredentials(anyKey(), { clock: systemClock, random: systemRandom })
  const hanging = Array.from({ length: 4 }, () => {
    const options = { method: 'POST', rejectUnauthorized: false, agent: false, ...pair } as const
    const sent = request(new URL(`/vaults/${vault}/target/present`, slow.url), options)
    sent.on('error', () => {})
    sent.setHeader('content-length', 1_000)
    sent.write(new Uint8Array(1))
    return sent
  })
  try {
    const proofs = [await granted(client)]
    const timeouts = (patience: number) => ({ connect: 5_000, idle: 5_000, patience })
    await new Promise((resolve) => setTimeout(resolve, 700))
    const impatient = reach(slow, client, vault, { proofs, timeouts: timeouts(1) })
    await expect(impatient).rejects.toMatchObject({ code: 'HTTP_LIMIT' })
    await using _ = await reach(slow, client, vault, { proofs, timeouts: timeouts(8_000) })
  } finally {
    for (const sent of hanging) sent.destroy()
  }
})
