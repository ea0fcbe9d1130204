import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { type Signer, systemClock, systemRandom, type VaultId } from '@vault/core'
import { openKey, openOrCreatePlace, openPlace, openVault } from '@vault/embedded'
import { verifyCertificate } from '@vault/migration'
import {
  createPeerCredentials,
  httpPlace,
  httpSource,
  httpTarget,
  type MoveRequest,
  offerConnections,
  REVERSE_PROTOCOL,
  timeoutsWithin,
} from '@vault/migration/http'
import { expect, test } from 'vitest'
import { startReverseServer, type VaultServer } from '../src/index.ts'
import { cuttingProxy } from './cutting-proxy.ts'
import { offerTaker } from './offer-taker.ts'
import { anyKey, SHORT, scratch, serve, vaultIn } from './served.ts'
import { eventually, follow, placeAt, standing } from './two-servers.ts'

type Folder = Awaited<ReturnType<typeof scratch>>

/** The key of a place, which is made where there is none. */
async function placeKey(dir: string): Promise<Signer> {
  await using place = await openOrCreatePlace(dir)
  return await openKey({ dir, role: 'place', key: place.info.key })
}

const to = (place: Signer, terms: Partial<MoveRequest> = {}): MoveRequest => ({
  to: { key: place.key },
  live: null,
  reread: false,
  allowBroken: [],
  bytesPerSecond: null,
  ...terms,
})

/** A server with a vault, and a place that may come for it. */
async function behindWall(folder: Folder, { files = 40 } = {}) {
  const { vault } = await vaultIn(folder.at('a'), files)
  await vault[Symbol.asyncDispose]()
  const place = await placeKey(folder.at('b'))
  const failed: unknown[] = []
  const a = await serve(folder.at('a'), {
    moves: [place.key],
    moveTo: [{ key: place.key }],
    failed: (error) => failed.push(error),
  })
  return { a, place, vault: vault.id, failed, [Symbol.asyncDispose]: () => a.close() }
}

function comes(folder: Folder, { url, key }: Pick<VaultServer, 'url' | 'key'>, vault: VaultId) {
  return startReverseServer({ dir: folder.at('b'), url, peerKey: key, vault, timeouts: SHORT })
}

test('a vault moves to a place that its server cannot reach, over connections of that place; asked again, it is said how it ended', async () => {
  await using folder = await scratch()
  await using wall = await behindWall(folder)
  const { a, place, vault } = wall
  await using from = placeAt(a, place)
  {
    await using _ = await comes(folder, a, vault)
    expect(await from.planMove(vault, { key: place.key })).toMatchObject({ target: { label: place.key } })
    const state = await follow(from.move(vault, to(place)))
    expect(state?.phase).toBe('complete')
    const certificate = state?.certificate as Uint8Array
    expect(verifyCertificate(certificate, { trust: { vaults: [vault] } })).toMatchObject({
      trusted: true,
      findings: [],
    })
    expect(await follow(from.move(vault, to(place)))).toEqual(state)
  }
  expect(await standing(from, vault)).toBe('retired')
  expect(wall.failed).toEqual([])
  await using arrived = await openVault(folder.at('b'))
  expect(arrived.id).toBe(vault)
  expect((await arrived.status()).objects).toBe(40)
  await a.close()
  await using left = await openVault(folder.at('a'), { choose: () => vault })
  const late = left.put(new TextEncoder().encode('late'))
  await expect(late).rejects.toMatchObject({ code: 'VAULT_MOVED', message: expect.stringContaining(place.key) })
})

test('it is taken back over such connections, too', async () => {
  await using folder = await scratch()
  await using wall = await behindWall(folder)
  const { a, place, vault } = wall
  await using from = placeAt(a, place)
  await using _ = await comes(folder, a, vault)
  await follow(from.move(vault, to(place, { bytesPerSecond: 4_000 })), 'copy')
  const state = await follow(from.takeBack(vault, { to: { key: place.key }, migration: null, reason: null }))
  expect(state).toMatchObject({ phase: 'rolled-back' })
  expect(await standing(from, vault)).toBe('active')
  expect((await follow(from.move(vault, to(place))))?.phase).toBe('complete')
  expect(wall.failed).toEqual([])
})

test('what cuts the connections, or ends the place, does not end the move', async () => {
  await using folder = await scratch()
  await using wall = await behindWall(folder, { files: 200 })
  const { a, place, vault } = wall
  await using proxy = await cuttingProxy(Number(new URL(a.url).port), { cutAfter: 30_000, times: 6, reset: true })
  const through = { url: `https://127.0.0.1:${proxy.port}`, key: a.key }
  await using from = placeAt(a, place)
  {
    await using _ = await comes(folder, through, vault)
    await follow(from.move(vault, to(place, { bytesPerSecond: 400_000 })), 'copy')
  }
  await eventually(async () => (await from.moves(vault))[0]?.phase !== 'complete')
  await using _ = await comes(folder, through, vault)
  expect((await follow(from.move(vault, to(place))))?.phase).toBe('complete')
  expect(proxy.cuts()).toBeGreaterThan(0)
  await using there = await openPlace(folder.at('b'), { mode: 'read' })
  expect((await there.soups.soup(vault).tenure()).state).toBe('active')
})

test('connections are taken of whoever may have the vault moved, and has been named, and of nobody else', async () => {
  await using folder = await scratch()
  const { vault } = await vaultIn(folder.at('a'), 2)
  await vault[Symbol.asyncDispose]()
  const place = await placeKey(folder.at('b'))
  const offering = async (options: Parameters<typeof serve>[1], key?: VaultServer['key']) => {
    await using a = await serve(folder.at('a'), options)
    await using coming = await comes(folder, { url: a.url, key: key ?? a.key }, vault.id)
    await coming.offering
  }
  const refused = (action: string) => ({ code: 'HTTP_NOT_ALLOWED', details: { action } })
  await expect(offering({})).rejects.toMatchObject(refused('migrate'))
  await expect(offering({ allow: [place.key], moveTo: [place] })).rejects.toMatchObject(refused('move-away'))
  // Named with an address, it is reached there.
  const elsewhere = [{ url: 'https://127.0.0.1:1', key: place.key }, { key: anyKey().key }]
  await expect(offering({ moves: [place.key], moveTo: elsewhere })).rejects.toMatchObject({
    ...refused('move-away'),
    message: expect.stringContaining(`--move-to ${place.key}`),
  })
  await expect(offering({ moves: [place.key], moveTo: [place] }, anyKey().key)).rejects.toMatchObject({
    code: 'HTTP_PEER_KEY',
  })
})

test('a place that comes for a vault takes no other one, and of nobody but that server', async () => {
  await using folder = await scratch()
  await using wall = await behindWall(folder, { files: 2 })
  const { a, place, vault } = wall
  await using from = placeAt(a, place)
  const another = await vaultIn(folder.at('c'), 1)
  await another.vault[Symbol.asyncDispose]()
  await using _ = await startReverseServer({
    dir: folder.at('b'),
    url: a.url,
    peerKey: a.key,
    vault,
    timeouts: SHORT,
  })
  const moved = follow(from.move(another.vault.id, to(place)))
  await expect(moved).rejects.toMatchObject({ code: expect.any(String) })
  await using there = await openPlace(folder.at('b'), { mode: 'read' })
  expect((await there.soups.soup(another.vault.id).tenure()).state).toBe('none')
})

test('the server that is let in brings the vault, and neither copies it from there nor has it moved, or given up', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('b'), 1)
  const { id } = vault
  await vault[Symbol.asyncDispose]()
  const [server, stranger] = [anyKey(), anyKey()]
  await using taker = await offerTaker(server)
  await using _ = await comes(folder, taker, id)
  const asking = (shown: Signer) => ({
    ...{ place: shown, peerKey: place.key, reverse: taker.reverse, timeouts: SHORT },
  })
  const address = 'https://reversed.invalid'
  {
    await using target = await httpTarget(address, { ...asking(server), vault: id })
    expect((await target.look(id)).tenure.state).toBe('active')
  }
  const refused = (action: string) => ({ code: 'HTTP_NOT_ALLOWED', details: { action } })
  await expect(httpSource(address, { ...asking(server), vault: id })).rejects.toMatchObject(refused('migrate'))
  await using asked = httpPlace(address, asking(server))
  await expect(asked.moves(id)).rejects.toMatchObject(refused('migrate'))
  const back = { to: { key: stranger.key }, migration: null, reason: null, withoutTarget: true }
  await expect(follow(asked.takeBack(id, back))).rejects.toMatchObject(refused('migrate'))
  await using other = httpPlace(address, asking(stranger))
  expect(await other.vaults()).toEqual([])
  await expect(httpTarget(address, { ...asking(stranger), vault: id })).rejects.toMatchObject(refused('write'))
})

test('what a server says right behind its answer is of the connection', async () => {
  await using taker = await offerTaker(anyKey(), { behind: 'begins' })
  const stop = new AbortController()
  const said = Promise.withResolvers<string>()
  const answer = (connection: unknown) => (connection as Duplex).once('data', (data) => said.resolve(String(data)))
  const [place, vault] = [anyKey(), 'any' as VaultId]
  const offering = offerConnections(taker.url, { vault, place, peerKey: taker.key, answer }, { signal: stop.signal })
  expect(await Promise.race([said.promise, offering])).toBe('begins')
  stop.abort(new Error('no more'))
  await offering
})

test('where connections have died in silence, as of a machine that slept, others are there while the server is patient', async () => {
  await using folder = await scratch()
  await using wall = await behindWall(folder, { files: 3 })
  const { a, place, vault } = wall
  await using proxy = await cuttingProxy(Number(new URL(a.url).port), {})
  const url = `https://127.0.0.1:${proxy.port}`
  const timeouts = timeoutsWithin(6_000)
  await using _ = await startReverseServer({ dir: folder.at('b'), url, peerKey: a.key, vault, timeouts })
  await eventually(async () => proxy.taken() === 5)
  await pause(200)
  proxy.forget()
  await using from = placeAt(a, place)
  expect((await follow(from.move(vault, to(place, { patience: 6_000 }))))?.phase).toBe('complete')
})

/** What a server says to bytes on a connection of its own, until that ends or something has come. */
async function said({ url }: VaultServer, place: Signer | undefined, bytes: string): Promise<string> {
  const shown = place && (await createPeerCredentials(place, { clock: systemClock, random: systemRandom }))
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), rejectUnauthorized: false, ...shown })
  try {
    await new Promise((resolve) => socket.once('secureConnect', resolve))
    socket.write(bytes)
    return await new Promise((resolve, reject) => {
      socket.once('data', (data: Buffer) => resolve(data.toString()))
      socket.once('error', reject)
      socket.once('close', () => resolve(''))
    })
  } finally {
    socket.destroy()
  }
}

test('an offer that is none is refused: without a key, of another protocol, elsewhere, or with more behind it', async () => {
  await using folder = await scratch()
  await using wall = await behindWall(folder, { files: 1 })
  const { a, place, vault } = wall
  const offer = ({ side = 'source', protocol = REVERSE_PROTOCOL, behind = '' } = {}) =>
    `POST /vaults/${vault}/${side}/reverse HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: ${protocol}\r\n\r\n${behind}`
  expect(await said(a, place, offer())).toMatch(/^HTTP\/1.1 101 /)
  expect(await said(a, undefined, offer())).toMatch(/^HTTP\/1.1 401 [\s\S]*HTTP_PEER_CERTIFICATE/)
  expect(await said(a, place, offer({ protocol: 'websocket' }))).toMatch(/^HTTP\/1.1 400 [\s\S]*HTTP_REQUEST_INVALID/)
  expect(await said(a, place, offer({ side: 'target' }))).toMatch(/^HTTP\/1.1 400 /)
  expect(await said(a, place, offer({ behind: 'more' }))).toMatch(/^HTTP\/1.1 400 /)
  expect(await said(a, place, 'GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n')).toMatch(
    /^HTTP\/1.1 400 /,
  )
  expect(wall.failed).toEqual([])
})

/** Offers a connection, and gives it when it is accepted. */
async function offered({ url }: Pick<VaultServer, 'url'>, place: Signer, vault: VaultId): Promise<TLSSocket> {
  const shown = await createPeerCredentials(place, { clock: systemClock, random: systemRandom })
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), rejectUnauthorized: false, ...shown })
  await once(socket, 'secureConnect')
  socket.write(
    `POST /vaults/${vault}/source/reverse HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: ${REVERSE_PROTOCOL}\r\n\r\n`,
  )
  const [answer] = await once(socket, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1.1 101 /)
  return socket
}

test('whoever offers a connection shows the same key in it, or is sent nothing', async () => {
  await using folder = await scratch()
  await using wall = await behindWall(folder, { files: 1 })
  const { a, place, vault } = wall
  const shown = await createPeerCredentials(anyKey(), { clock: systemClock, random: systemRandom })
  const inner = createServer({ ...shown, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false })
  const heard: unknown[] = []
  inner.on('secureConnection', (socket) => socket.on('error', () => {}).on('data', (data) => heard.push(data)))
  inner.emit('connection', await offered(a, place, vault))
  await using from = placeAt(a, place)
  await expect(follow(from.move(vault, to(place)))).rejects.toMatchObject({ code: 'HTTP_PEER_KEY' })
  expect(heard).toEqual([])
})

test('of one place some connections wait, and no more: with another one the oldest ends, which may be dead', async () => {
  await using folder = await scratch()
  await using wall = await behindWall(folder, { files: 1 })
  const { a, place, vault } = wall
  const opened: TLSSocket[] = []
  for (let i = 0; i < 10; i++) opened.push(await offered(a, place, vault))
  await eventually(async () => opened.slice(0, 2).every(({ destroyed }) => destroyed))
  expect(opened.slice(2).some(({ destroyed }) => destroyed)).toBe(false)
  // So a place that was cut off in silence is let in again at once.
  await using coming = await comes(folder, a, vault)
  await using from = placeAt(a, place)
  expect((await follow(from.move(vault, to(place, { patience: 8_000 }))))?.phase).toBe('complete')
  expect(await Promise.race([coming.offering, 'still'])).toBe('still')
  for (const socket of opened) socket.destroy()
})

test('a move that waits for a connection ends at once when it is stopped, asked for again, or its server ends', async () => {
  await using folder = await scratch()
  await using wall = await behindWall(folder, { files: 1 })
  const { a, place, vault } = wall
  await using from = placeAt(a, place)
  const waiting = follow(from.move(vault, to(place, { patience: 60_000 })))
  const refused = expect(waiting).rejects.toMatchObject({ code: 'MIGRATION_SUPERSEDED' })
  await pause(300)
  const began = performance.now()
  const again = follow(from.move(vault, to(place, { patience: 60_000 })))
  const ended = expect(again).rejects.toMatchObject({ code: expect.stringMatching(/^HTTP_/) })
  await refused
  await pause(300)
  await a.close()
  expect(performance.now() - began).toBeLessThan(3_000)
  await ended
})

test('a server that ends keeps no connection whose offer it is just judging', async () => {
  await using folder = await scratch()
  const { vault } = await vaultIn(folder.at('a'), 1)
  await vault[Symbol.asyncDispose]()
  const place = await placeKey(folder.at('b'))
  const [judged, asked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const a = await serve(folder.at('a'), {
    moveTo: [place],
    authorize: async ({ action, object }) => {
      asked.resolve()
      await judged.promise
      return { action, object, proven: true }
    },
  })
  const offer = offered(a, place, vault.id).catch(() => undefined)
  await asked.promise
  const closed = a.close()
  setTimeout(judged.resolve, 300)
  expect(await Promise.race([closed.then(() => 'closed'), pause(5_000, 'open')])).toBe('closed')
  const socket = await offer
  await eventually(async () => socket?.destroyed ?? true)
})
