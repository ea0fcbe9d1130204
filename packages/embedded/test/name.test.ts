import { posix } from 'node:path'
import { isVaultError } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkName, nameFromPath } from '../src/name.ts'

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    return isVaultError(error) ? error.code : String(error)
  }
}

describe('nameFromPath', () => {
  test.each([
    ['a/b', 'a/b'],
    ['/a/b', 'a/b'],
    ['./a//b/', 'a/b'],
    ['../../a', 'a'],
    ['a/../b', 'b'],
    ['.', ''],
    ['..', ''],
    ['/', ''],
    ['ä/日本 語', 'ä/日本 語'],
  ])('%j is named %j', (path, name) => {
    expect(nameFromPath(path)).toBe(name)
  })

  test('what it gives is empty or a valid name, whatever it is given', () => {
    const part = fc.oneof(fc.constantFrom('..', '.', '', 'a', 'b', '...', 'x\0y', '\ud800'), fc.string())
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        try {
          const name = nameFromPath(parts.join('/'))
          if (name !== '') checkName(name)
        } catch (error) {
          expect(isVaultError(error, 'VAULT_NAME_INVALID')).toBe(true)
        }
      }),
    )
  })
})

describe('checkName', () => {
  test('a valid name joined to a folder stays inside it', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        if (codeOf(() => checkName(name)) !== undefined) return
        expect(posix.join('/out', name)).toBe(`/out/${name}`)
      }),
    )
  })

  test.each(['', '/a', 'a/', 'a//b', '.', '..', 'a/..', '../a', 'a/./b', 'x\0', '\ud800', `${'n'.repeat(4001)}`])(
    'refuses %j',
    (name) => {
      expect(codeOf(() => checkName(name))).toBe('VAULT_NAME_INVALID')
    },
  )
})
