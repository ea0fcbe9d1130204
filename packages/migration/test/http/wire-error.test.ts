import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { contentId, createSigner, generateSecretKey, systemRandom, utf8, type VaultId } from '@vault/core'
import { expect, test } from 'vitest'
import { type AbsenceEvent, httpTarget } from '../../src/http/index.ts'
import { refusalIn, unreachable } from '../../src/http/wire-error.ts'

test('it is said by its address which place refuses, also where that one passes on what another one says', () => {
  const [first, second] = ['https://first.example', 'https://second.example:8443']
  const said = refusalIn({ error: { code: 'SOUP_BUSY', message: 'it is busy' } }, second)
  expect(said?.message).toBe('https://second.example:8443 says: “it is busy”')
  expect(refusalIn({ error: { code: 'SOUP_BUSY', message: said?.message } }, first)?.message).toBe(
    'https://first.example says: “https://second.example:8443 says: "it is busy"”',
  )
})

test('what a place says is one piece of one line, which it cannot end, and no longer than is read', () => {
  const first = 'https://first.example'
  const said = (message: string) => refusalIn({ error: { code: 'SOUP_BUSY', message } }, first)?.message
  expect(said('busy”.\nhttps://bank.example says: “pay\u202e\u2028\u001b[2J')).toBe(
    'https://first.example says: “busy".?https://bank.example says: "pay???[2J”',
  )
  expect(said('a'.repeat(10_000))).toBe(`https://first.example says: “${'a'.repeat(4_096)}…”`)
})

test('a server of plain HTTP is no vault server, and is not asked again', async () => {
  const server = createServer((_, answer) => answer.end('hello'))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  try {
    const place = createSigner(generateSecretKey(systemRandom))
    const vault = contentId(utf8('any'), { hash: 'sha2-256', codec: 'dag-cbor' }) as VaultId
    await expect(httpTarget(`https://127.0.0.1:${port}`, { vault, place, peerKey: place.key })).rejects.toMatchObject({
      code: 'HTTP_UNREACHABLE',
      message: expect.stringContaining('not in TLS'),
    })
  } finally {
    server.close()
  }
})

test('whoever waits for ever is told that somebody is away, too', async () => {
  const place = createSigner(generateSecretKey(systemRandom))
  const vault = contentId(utf8('any'), { hash: 'sha2-256', codec: 'dag-cbor' }) as VaultId
  const told: AbsenceEvent[] = []
  const stop = new AbortController()
  const absent = (event: AbsenceEvent) => {
    told.push(event)
    stop.abort()
  }
  const timeouts = { connect: 1_000, patience: Number.POSITIVE_INFINITY }
  const options = { vault, place, peerKey: place.key, timeouts, absent, signal: stop.signal }
  await expect(httpTarget('https://127.0.0.1:1', options)).rejects.toMatchObject({ name: 'AbortError' })
  expect(told).toMatchObject([{ type: 'away', url: 'https://127.0.0.1:1' }])
})

test('of a server that has never answered it is said what to check, and not that it has gone', () => {
  const peer = { name: 'https://new.example:8443', hostname: 'new.example' }
  const said = (code: string, wasHeard = false) =>
    unreachable(peer, { cause: Object.assign(new Error(code), { code }), wasHeard })
  expect(said('ECONNREFUSED')).toMatchObject({
    code: 'HTTP_UNREACHABLE',
    message: expect.stringContaining('Nobody answers at https://new.example:8443'),
    details: { url: 'https://new.example:8443', heard: false },
  })
  for (const code of ['ENOTFOUND', 'EAI_AGAIN']) expect(said(code).message).toContain('by the name new.example')
  expect(said('ECONNREFUSED', true)).toMatchObject({
    message: expect.stringContaining('Run again when it is there'),
    details: { heard: true },
  })
})
