import { expect, test } from 'vitest'
import { MoveStop } from '../src/move-stop.ts'

test('a move that turns back from its signature is stopped by what was asked for meanwhile', () => {
  const stop = new MoveStop(undefined)
  stop.pass(true)
  stop.stop('gone')
  stop.stop('asked again')
  expect(stop.signal.aborted).toBe(false)
  stop.pass(false)
  expect(stop.signal.reason).toBe('gone')
})

test('the end of the server stops it while the vault passes, also when the client has gone before', () => {
  const ending = new AbortController()
  const stop = new MoveStop(ending.signal)
  stop.pass(true)
  stop.stop('gone')
  ending.abort('ends')
  expect(stop.signal.reason).toBe('ends')
})
