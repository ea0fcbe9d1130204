import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { contentId, createSigner, generateSecretKey, systemRandom, utf8, type VaultId } from '@vault/core'
import { expect, test } from 'vitest'
import { httpTarget } from '../../src/http/index.ts'
import { refusalIn } from '../../src/http/wire-error.ts'

test('what another place says that a third one has said is not said twice', () => {
  const said = refusalIn({ error: { code: 'SOUP_BUSY', message: 'it is busy' } })
  expect(said?.message).toBe('The other place says: it is busy')
  expect(refusalIn({ error: { code: 'SOUP_BUSY', message: said?.message } })?.message).toBe(said?.message)
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
