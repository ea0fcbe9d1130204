import { isVaultError, reasonOf, VaultError } from '@vault/core'
import { describe, expect, it, test } from 'vitest'

describe('VaultError', () => {
  it('carries code, message, details and cause', () => {
    const cause = new Error('disk')
    const error = new VaultError({ code: 'X_BROKEN', message: 'x is broken', details: { at: 3 }, cause })
    expect(error).toMatchObject({
      name: 'VaultError',
      code: 'X_BROKEN',
      message: 'x is broken',
      details: { at: 3 },
      cause,
    })
    expect(new VaultError({ code: 'X_BROKEN', message: '' }).details).toEqual({})
    expect('cause' in new VaultError({ code: 'X_BROKEN', message: '' })).toBe(false)
  })
})

describe('isVaultError', () => {
  it('recognises the errors of another copy of the package', () => {
    class Copy extends Error {
      override readonly name = 'VaultError'
      readonly code = 'X_BROKEN'
    }
    expect(isVaultError(new Copy())).toBe(true)
    expect(isVaultError(new Copy(), 'X_BROKEN')).toBe(true)
    expect(isVaultError(new Copy(), 'X_OTHER')).toBe(false)
  })

  it.each([
    ['another error', new Error('x')],
    ['an error with a code', Object.assign(new Error('x'), { code: 'ENOENT' })],
    ['the name without a code', Object.assign(new Error('x'), { name: 'VaultError' })],
    ['a plain object', { name: 'VaultError', code: 'X_BROKEN' }],
    ['nothing', undefined],
  ])('refuses %s', (_, value) => {
    expect(isVaultError(value)).toBe(false)
  })
})

test('the reason that an error gives is a part of a sentence', () => {
  expect(reasonOf(new Error('It is full.'))).toBe('It is full')
  expect(reasonOf(new Error('it is full'))).toBe('it is full')
})
