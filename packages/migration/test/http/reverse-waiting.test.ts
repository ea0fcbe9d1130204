import { createSigner, generateSecretKey, systemRandom, type VaultId } from '@vault/core'
import { expect, test } from 'vitest'
import { httpTarget, type ReverseConnections } from '../../src/http/index.ts'

const anyKey = () => createSigner(generateSecretKey(systemRandom))

/** A place that opens no connections, and how often one was waited for, and is still. */
function nobody() {
  const counts = { waited: 0, waiting: 0 }
  const reverse: ReverseConnections = {
    take: ({ signal }) => {
      counts.waited++
      counts.waiting++
      return new Promise((_, reject) =>
        signal?.addEventListener('abort', () => {
          counts.waiting--
          reject(signal.reason)
        }),
      )
    },
  }
  return { counts, reverse }
}

const ask = (reverse: ReverseConnections, timeouts: { connect: number; patience: number }, signal?: AbortSignal) =>
  httpTarget('https://reversed.invalid', {
    ...{ vault: 'any' as VaultId, place: anyKey(), peerKey: anyKey().key, reverse, timeouts },
    ...(signal && { signal }),
  })

test('connections that nobody opens are waited for as long as patience is left, to its end', async () => {
  const { counts, reverse } = nobody()
  const began = performance.now()
  await expect(ask(reverse, { connect: 1_500, patience: 2_500 })).rejects.toMatchObject({
    code: 'HTTP_UNREACHABLE',
    message: expect.stringMatching(/opens no connections.* No connection to /),
  })
  const ms = performance.now() - began
  expect([ms > 2_200, ms < 3_500]).toEqual([true, true])
  // The last one for what is left.
  expect(counts).toEqual({ waited: 2, waiting: 0 })
})

test('who does not want it any more waits for no connection', async () => {
  const { counts, reverse } = nobody()
  const stop = new AbortController()
  const began = performance.now()
  const asked = ask(reverse, { connect: 20_000, patience: 20_000 }, stop.signal)
  setTimeout(() => stop.abort(new Error('not any more')), 100)
  await expect(asked).rejects.toThrow('not any more')
  expect(performance.now() - began).toBeLessThan(5_000)
  expect(counts).toEqual({ waited: 1, waiting: 0 })
})
