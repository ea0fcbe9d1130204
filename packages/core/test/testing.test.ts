import { VaultError } from '@vault/core'
import { assertRejects, assertSame, assertThat } from '@vault/core/testing'
import { describe, expect, it } from 'vitest'

const refused = () => Promise.reject(new VaultError({ code: 'X_BROKEN', message: 'x' }))

describe('the assertions of contract suites', () => {
  it('hold', async () => {
    assertThat(true, 'truth')
    assertSame({ a: [1] }, { a: [1] }, 'equal')
    await assertRejects(refused(), 'X_BROKEN', 'refused')
  })

  it('fail', async () => {
    expect(() => assertThat(false, 'truth')).toThrow('truth')
    expect(() => assertSame([1], [2], 'equal')).toThrow('equal: expected [2], got [1]')
    await expect(assertRejects(refused(), 'X_OTHER', 'refused')).rejects.toThrow('expected X_OTHER, got X_BROKEN')
    await expect(assertRejects(Promise.resolve(1), 'X_BROKEN', 'refused')).rejects.toThrow('got no error')
    await expect(assertRejects(Promise.reject(new Error('disk')), 'X', 'refused')).rejects.toThrow('Error: disk')
  })
})
