import { encodeEvent } from '@vault/audit-chain'
import type { Bytes } from '@vault/core'
import { expect, test } from 'vitest'
import { tellerAt } from '../../src/move/seat.ts'
import { type Teller, Told, tellOnce } from '../../src/move/tell-once.ts'
import { found, memoryPlace, trailAt } from './seats.ts'

const PREFIX = 'migration/m1/'

function eventOf(key: string): Bytes {
  const action = { verb: 'noted', object: 'vault', parameters: {} }
  return encodeEvent({ time: 1, actor: { name: 'owner', proven: false }, action, key })
}

// Once it was "an old copy of it was put back", after which a live move stopped and whoever ran it was to look for who had done that.
test.each(['queued', 'tenure'] as const)(
  'what another process queues behind a look at its "%s" is not missed in the log',
  async (look) => {
    const place = memoryPlace('A', 1)
    const vault = await found(place)
    const teller = tellerAt(place.seat, vault)
    await teller.drain()
    let isOver = false
    const interrupted = async <T>(seen: T): Promise<T> => {
      if (!isOver) {
        isOver = true
        const { epoch } = await teller.soup.tenure()
        await teller.soup.commit({ epoch, events: [eventOf('another')] })
      }
      return seen
    }
    const soup: Teller['soup'] = {
      ...teller.soup,
      async queued(...range) {
        const seen = await teller.soup.queued(...range)
        return look === 'queued' ? await interrupted(seen) : seen
      },
      async tenure(...options) {
        const seen = await teller.soup.tenure(...options)
        return look === 'tenure' ? await interrupted(seen) : seen
      },
    }
    const key = `${PREFIX}begins`
    const telling = { events: [{ key, bytes: eventOf(key) }], migration: 'm1' }
    await tellOnce({ ...teller, soup }, new Told(PREFIX, 0), telling)
    const keys: string[] = []
    for await (const page of (await trailAt(place, vault)).entries()) keys.push(...page.map(({ entry }) => entry.key))
    expect(keys.slice(-2)).toEqual(['another', key])
    expect(new Set(keys).size).toBe(keys.length)
  },
)
