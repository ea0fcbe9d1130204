import { expect, test } from 'vitest'
import { Slots } from '../../src/http/slots.ts'

test('no more than there are, in the order in which they were asked for', async () => {
  const slots = new Slots(2)
  const order: number[] = []
  let [open, most] = [0, 0]
  const work = async (i: number) => {
    const done = await slots.take()
    order.push(i)
    most = Math.max(most, ++open)
    await new Promise((resolve) => setTimeout(resolve, 1))
    open--
    done()
    // Given back once, however often that is said.
    done()
  }
  await Promise.all([0, 1, 2, 3, 4, 5].map(work))
  expect([most, order]).toEqual([2, [0, 1, 2, 3, 4, 5]])
})

test('who does not wait any more takes none away', async () => {
  const slots = new Slots(1)
  const done = await slots.take()
  const leaving = new AbortController()
  const left = slots.take({ signal: leaving.signal })
  const next = slots.take()
  leaving.abort(new Error('enough'))
  await expect(left).rejects.toThrow('enough')
  done()
  ;(await next)()
  await expect(slots.take({ signal: leaving.signal })).rejects.toThrow('enough')
  ;(await slots.take())()
})
