import { request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { contentId, systemClock, systemRandom } from '@vault/core'
import { moveSourceOf, owner, sourceOf, type Vault } from '@vault/embedded'
import { moveVault, planMigration } from '@vault/migration'
import { createPeerCredentials } from '@vault/migration/http'
import { expect, test } from 'vitest'
import { cuttingProxy } from './cutting-proxy.ts'
import { anyKey, reach, scratch, serve, vaultIn } from './served.ts'

const TIMEOUTS = { connect: 1_000, idle: 1_000, patience: 2_000 }
const LATE = 900

/** A vault, a server that lets its place in, and what is between the two. */
async function scene() {
  const stack = new AsyncDisposableStack()
  const folder = stack.use(await scratch())
  const { vault, place } = await vaultIn(folder.at('a'), 3)
  stack.use(vault)
  const server = stack.use(await serve(folder.at('b'), { allow: [place.key] }))
  const proxy = stack.use(await cuttingProxy(Number(new URL(server.url).port), {}))
  const url = `https://127.0.0.1:${proxy.port}`
  const reached = (options: Parameters<typeof reach>[3]) => reach({ url, key: server.key }, place, vault.id, options)
  return { vault, proxy, reached, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test('a link that swallows everything is given up within the patience, and so is what was open over it', async () => {
  await using places = await scene()
  const { vault, proxy, reached } = places
  await using target = await reached({ timeouts: TIMEOUTS })
  const { soup } = await target.look(vault.id)
  // Several connections, which are kept, and of which each is dead then.
  await Promise.all(Array.from({ length: 4 }, () => soup.tenure()))
  let began = 0
  const reading = soup.view(async ({ objects }) => {
    proxy.fallSilent()
    began = performance.now()
    await objects.scan({ prefix: '', limit: 10 })
  })
  await expect(reading).rejects.toMatchObject({ code: 'HTTP_UNREACHABLE' })
  expect(performance.now() - began).toBeLessThan(TIMEOUTS.patience + LATE)
  expect(performance.now() - began).toBeGreaterThan(TIMEOUTS.idle)
})

test('an answer that falls silent in the middle counts from when it did', async () => {
  await using places = await scene()
  const { vault, proxy, reached } = places
  const timeouts = { ...TIMEOUTS, idle: 1_500 }
  await using target = await reached({ timeouts })
  const source = await moveSourceOf(vault)
  let began = 0
  const log: typeof source.log = async (options) => {
    const { read } = await source.log(options)
    return {
      // The server has begun to answer, by the name of a file.
      read: async (...call) => {
        proxy.fallSilent()
        began = performance.now()
        return await read(...call)
      },
    }
  }
  const parts = { source: { ...source, log }, target, authorize: owner }
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  await expect(Array.fromAsync(moveVault(plan, parts))).rejects.toMatchObject({ code: 'HTTP_UNREACHABLE' })
  expect(performance.now() - began).toBeLessThan(TIMEOUTS.patience + LATE)
})

// Takes three seconds, and a piece a third of one.
const SENT = { bytes: 1_500_000, bytesPerSecond: 500_000 }

/** Sends one batch to the target. */
async function send(vault: Vault, target: Awaited<ReturnType<typeof reach>>): Promise<void> {
  const keyEvents = await sourceOf(vault).keyEvents()
  const receiving = await target.receive({ vault: vault.id, keyEvents, migration: '1'.repeat(32) })
  const blocks = [SENT.bytes / 2, SENT.bytes / 2].map((length) => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 50_000) crypto.getRandomValues(bytes.subarray(at, at + 50_000))
    return { id: contentId(bytes), bytes }
  })
  for await (const _ of receiving.objects.putMany([blocks]));
}

test('one that is sending gives up as soon, though what it sends still goes', async () => {
  await using places = await scene()
  const { vault, proxy, reached } = places
  await using target = await reached({ timeouts: TIMEOUTS, bytesPerSecond: SENT.bytesPerSecond })
  const sending = send(vault, target)
  sending.catch(() => {})
  const before = proxy.passed()
  while (proxy.passed() < before + 300_000) await sleep(10)
  proxy.fallSilent()
  const began = performance.now()
  await expect(sending).rejects.toMatchObject({ code: 'HTTP_UNREACHABLE' })
  expect(performance.now() - began).toBeLessThan(TIMEOUTS.patience + LATE)
})

test('sending for longer than a client waits in silence is no silence', { timeout: 20_000 }, async () => {
  await using places = await scene()
  const { vault, reached } = places
  const timeouts = { ...TIMEOUTS, patience: 1 }
  await using target = await reached({ timeouts, bytesPerSecond: SENT.bytesPerSecond })
  await send(vault, target)
})

test('nor is looking for a file of the trail', { timeout: 20_000 }, async () => {
  await using places = await scene()
  const { vault, reached } = places
  await using target = await reached({ timeouts: { ...TIMEOUTS, patience: 1 } })
  const source = await moveSourceOf(vault)
  let reads = 0
  const log: typeof source.log = async (options) => {
    const { read } = await source.log(options)
    return {
      read: async (...call) => {
        if (reads++ === 0) await sleep(1_500)
        return await read(...call)
      },
    }
  }
  const parts = { source: { ...source, log }, target, authorize: owner }
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  for await (const _ of moveVault(plan, parts));
  expect(reads).toBeGreaterThan(0)
})

test('a client from which nothing comes is let go, though it is told that it is waited for', async () => {
  await using folder = await scratch()
  const { vault } = await vaultIn(folder.at('a'), 1)
  await vault[Symbol.asyncDispose]()
  const client = anyKey()
  const idleMs = 1_500
  await using server = await serve(folder.at('a'), { allow: [client.key], limits: { idleMs } })
  const credentials = await createPeerCredentials(client, { clock: systemClock, random: systemRandom })
  const sent = request(`${server.url}/vaults/${vault.id}/source/charged`, {
    ...credentials,
    method: 'POST',
    rejectUnauthorized: false,
    headers: { 'content-length': 1_000 },
  })
  let told = 0
  sent.on('information', () => {
    told++
  })
  sent.on('error', () => {})
  // The beginning of a frame.
  sent.write(new Uint8Array(5))
  const began = performance.now()
  await new Promise((resolve) => void sent.once('close', resolve))
  expect(performance.now() - began).toBeGreaterThan(idleMs - 100)
  expect(performance.now() - began).toBeLessThan(2 * idleMs)
  expect(told).toBeGreaterThan(0)
})
