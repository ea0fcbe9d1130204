import { X509Certificate } from 'node:crypto'
import { request as plainRequest } from 'node:http'
import { Agent, request } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { type ConnectionOptions, connect } from 'node:tls'
import { zstdCompressSync } from 'node:zlib'
import { systemClock, systemRandom, VaultError, type VaultId } from '@vault/core'
import { createPeerCredentials } from '@vault/migration/http'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openApi, type VaultServer } from '../src/index.ts'
import { anyKey, reach, SHORT, scratch, serve, vaultIn } from './served.ts'

const known = anyKey()
let folder: Awaited<ReturnType<typeof scratch>>
let server: VaultServer
let vault: VaultId
const failed: unknown[] = []

beforeAll(async () => {
  folder = await scratch()
  const made = await vaultIn(folder.at('served'), 3)
  vault = made.vault.id
  await made.vault[Symbol.asyncDispose]()
  const limits = { headerMs: 500, idleMs: 1_000, perSecond: 100_000, concurrent: 64 }
  server = await serve(folder.at('served'), { allow: [known.key], limits, failed: (error) => failed.push(error) })
})

afterAll(async () => {
  await server.close()
  await folder[Symbol.asyncDispose]()
})

interface Answered {
  readonly status: number
  readonly text: string
}

/** Sends bytes as a client with this certificate, if any. */
async function send(
  path: string,
  body: Uint8Array,
  options: ConnectionOptions & { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Answered> {
  const { method = 'POST', headers = {}, ...tls } = options
  return await new Promise((resolve, reject) => {
    const sent = request(
      new URL(path, server.url),
      { method, headers, rejectUnauthorized: false, ...tls },
      async (answer) => {
        let text = ''
        try {
          for await (const chunk of answer.setEncoding('latin1')) text += chunk
        } catch {
          // It was refused, and that it was is what counts.
        }
        resolve({ status: answer.statusCode ?? 0, text })
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

async function credentials(signer = known, clock = systemClock) {
  return await createPeerCredentials(signer, { clock, random: systemRandom })
}

/** How a time of thirteen characters begins in DER. */
const UTC_TIME = Buffer.of(0x17, 0x0d)

const path = (call: string, side = 'target') => `/vaults/${vault}/${side}/${call}`
const codeOf = ({ text }: Answered) => JSON.parse(text).error.code as string

describe('who is refused, before a byte is sent or read', () => {
  test('a server with another key', async () => {
    const reached = reach({ url: server.url, key: anyKey().key }, known, vault)
    await expect(reached).rejects.toMatchObject({ code: 'HTTP_PEER_KEY' })
  })

  test('a client with another key', async () => {
    await expect(reach(server, anyKey(), vault)).rejects.toMatchObject({ code: 'HTTP_NOT_ALLOWED' })
  })

  test('a client without a certificate', async () => {
    const answer = await send(path('place'), new Uint8Array())
    expect(answer.status).toBe(401)
    expect(codeOf(answer)).toBe('HTTP_PEER_CERTIFICATE')
  })

  test('a certificate that is old, or not good yet', async () => {
    for (const days of [-9, 3]) {
      const then = () => new Date(Date.now() + days * 24 * 3_600_000)
      const answer = await send(path('place'), new Uint8Array(), await credentials(known, then))
      expect(codeOf(answer)).toBe('HTTP_PEER_CERTIFICATE')
    }
  })

  test('a certificate that was good when its connection was made, and no longer is', async () => {
    await using other = await scratch()
    let at = Date.now()
    await using patient = await serve(other.at('x'), { allow: [known.key], clock: () => new Date(at) })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const options = { agent, method: 'POST', rejectUnauthorized: false, ...(await credentials()) }
    const ask = async () =>
      await new Promise<{ readonly status: number | undefined; readonly reused: boolean }>((resolve, reject) => {
        const sent = request(new URL('/vaults', patient.url), options, (answer) => {
          answer.resume().once('end', () => resolve({ status: answer.statusCode, reused: sent.reusedSocket }))
        })
        sent.on('error', reject).end()
      })
    expect(await ask()).toEqual({ status: 200, reused: false })
    expect(await ask()).toEqual({ status: 200, reused: true })
    at += 9 * 24 * 3_600_000
    expect(await ask()).toEqual({ status: 401, reused: true })
    agent.destroy()
  })

  test('a certificate with times that cannot be read', async () => {
    const { key, cert } = await credentials()
    const der = Buffer.from(new X509Certificate(cert).raw)
    // A month that is none, in the UTCTime of either end, and signed anew: the part that is signed comes first in the outer sequence.
    for (let from = der.indexOf(UTC_TIME); from >= 0; from = der.indexOf(UTC_TIME, from + 1)) der.write('99', from + 4)
    const signed = der.subarray(4, 8 + der.readUInt16BE(6))
    Buffer.from(await known.sign(new Uint8Array(signed))).copy(der, der.length - 64)
    const answer = await send(path('place'), new Uint8Array(), { key, cert: new X509Certificate(der).toString() })
    expect(codeOf(answer)).toBe('HTTP_PEER_CERTIFICATE')
  })

  test('a certificate that names a key which has not signed it', async () => {
    const forger = anyKey()
    const pair = await credentials({ key: known.key, sign: (message) => forger.sign(message) })
    const answer = await send(path('place'), new Uint8Array(), pair)
    expect(codeOf(answer)).toBe('HTTP_PEER_CERTIFICATE')
  })

  test('leave that has expired, or is for something else, is the reason that is given', async () => {
    await using other = await scratch()
    const asked: string[] = []
    const authorize = async ({ action }: { readonly action: string }): Promise<never> => {
      asked.push(action)
      throw new VaultError({ code: 'CAPABILITY_DENIED', message: 'It has expired.' })
    }
    await using refusing = await serve(other.at('x'), { authorize })
    const reached = reach(refusing, known, vault)
    await expect(reached).rejects.toMatchObject({ code: 'HTTP_NOT_ALLOWED', details: { code: 'CAPABILITY_DENIED' } })
    expect(asked).toEqual(['write'])
  })

  test('HTTP without TLS, and TLS 1.2', async () => {
    const { port } = new URL(server.url)
    const plain = new Promise((_, reject) => plainRequest({ port, host: '127.0.0.1' }).on('error', reject).end())
    await expect(plain).rejects.toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE|HPE_/) })
    const old = new Promise((resolve, reject) => {
      const socket = connect({
        port: Number(port),
        host: '127.0.0.1',
        maxVersion: 'TLSv1.2',
        rejectUnauthorized: false,
      })
      socket.on('secureConnect', resolve).on('error', reject)
    })
    await expect(old).rejects.toThrow(/alert|protocol/)
  })

  test('nothing listens: unreachable within the patience', async () => {
    const started = performance.now()
    const reached = reach({ url: 'https://127.0.0.1:1', key: server.key }, known, vault)
    await expect(reached).rejects.toMatchObject({ code: 'HTTP_UNREACHABLE' })
    expect(performance.now() - started).toBeLessThan(SHORT.patience ?? 0)
  })
})

describe('limits', () => {
  test('a header that is too long, and too many requests at once', async () => {
    const pair = await credentials()
    const long = send(path('place'), new Uint8Array(), { ...pair, headers: { long: 'x'.repeat(20_000) } })
    await expect(
      long.then(
        ({ status }) => status,
        () => 431,
      ),
    ).resolves.toBe(431)

    await using other = await scratch()
    await using small = await serve(other.at('x'), { allow: [known.key], limits: { perSecond: 3 } })
    const timeouts = { ...SHORT, patience: 10 }
    await using target = await reach(small, known, vault, { timeouts })
    const looks = async () => {
      for (let i = 0; i < 8; i++) await target.look(vault)
    }
    await expect(looks()).rejects.toMatchObject({ code: 'HTTP_LIMIT' })
  })

  test('a frame that says that it is longer than is taken is refused by its first bytes', async () => {
    const head = new Uint8Array(13)
    new DataView(head.buffer).setUint32(1, 2 ** 31)
    new DataView(head.buffer).setUint32(5, 2 ** 31)
    new DataView(head.buffer).setUint32(9, 1)
    const answer = await send(path('place'), head, await credentials())
    expect(answer.status).toBe(400)
    expect(codeOf(answer)).toBe('HTTP_REQUEST_INVALID')
  })

  test('a short frame of very many values is refused before they take memory', async () => {
    const values = new Uint8Array(5 + 2 ** 18).fill(0xa0)
    values[0] = 0x9a
    new DataView(values.buffer).setUint32(1, 2 ** 18)
    const sent = zstdCompressSync(values)
    expect(sent.length).toBeLessThan(1_000)
    const frame = Buffer.alloc(13 + sent.length, 1)
    for (const [at, length] of [sent.length, values.length, values.length].entries()) {
      frame.writeUInt32BE(length, 1 + 4 * at)
    }
    frame.set(sent, 13)
    for (const call of ['charged', 'intake', 'put-objects']) {
      const answer = await send(path(call), frame, await credentials())
      expect(codeOf(answer)).toBe('HTTP_REQUEST_INVALID')
      // And not by what it is, which is known only when all of it is there.
      expect(answer.text).toContain('within the limits')
    }
  })

  test('whoever connects and says nothing is let go', async () => {
    const started = performance.now()
    await new Promise((resolve) => {
      connectTcp(Number(new URL(server.url).port), '127.0.0.1')
        .on('close', resolve)
        .on('error', () => {})
    })
    expect(performance.now() - started).toBeLessThan(3_000)
  })
})

describe('requests that are none', () => {
  const RUNS = Number(process.env.MALFORMED_REQUESTS ?? 10_000)

  test(`${RUNS} of them: each is refused by its caller's fault, and nothing fails`, { timeout: 600_000 }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 8, ...(await credentials()), rejectUnauthorized: false })
    const names = Object.keys(openApi().paths as object).map((each) => each.replace('{vault}', vault))
    const anyBody = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc
        .record({
          flags: fc.constantFrom(0, 1, 2),
          value: fc.uint8Array({ minLength: 1, maxLength: 48 }),
          off: fc.constantFrom(0, 0, 0, 1),
        })
        .map(({ flags, value, off }) => {
          const bytes = new Uint8Array(13 + value.length)
          const head = new DataView(bytes.buffer)
          head.setUint8(0, flags)
          head.setUint32(1, value.length)
          head.setUint32(5, value.length + off)
          head.setUint32(9, value.length)
          bytes.set(value, 13)
          return bytes
        }),
    )
    const anyPath = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...names) },
      fc.webPath().map((each) => each || '/'),
      fc.constantFrom(
        `/vaults/${vault.slice(1)}/target/place`,
        `/vaults/${vault}/source/intake`,
        '/vaults/__proto__/target/constructor',
      ),
    )
    const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
    const samples = fc.sample(
      fc.record({ path: anyPath, body: anyBody, method: fc.constantFrom('POST', 'POST', 'POST', 'PUT', 'GET') }),
      { numRuns: RUNS, seed },
    )
    const bad: unknown[] = []
    let at = 0
    const worker = async () => {
      while (at < samples.length) {
        const { path: where, body, method } = samples[at++] as (typeof samples)[number]
        const answer = await send(where, method === 'GET' ? new Uint8Array() : body, {
          method,
          agent,
        } as ConnectionOptions).catch(() => undefined)
        if (answer !== undefined && answer.status >= 500) bad.push({ where, body, answer })
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    expect({ seed, bad, failed }).toEqual({ seed, bad: [], failed: [] })
    // It still works.
    await using target = await reach(server, known, vault)
    expect((await target.look(vault)).tenure.vault).toBe(vault)
  })
})
