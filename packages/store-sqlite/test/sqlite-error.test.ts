import { isVaultError } from '@vault/core'
import { expect, test } from 'vitest'
import { soupErrorFrom } from '../src/sqlite-error.ts'

function reported(errcode: number): Error {
  return Object.assign(new Error('as SQLite says'), { code: 'ERR_SQLITE_ERROR', errcode })
}

function codeOf(errcode: number, doing: 'read' | 'write'): unknown {
  const error = soupErrorFrom(reported(errcode), 'soup.sqlite', doing)
  return isVaultError(error) ? error.code : 'unchanged'
}

// Extended result codes of SQLite, https://sqlite.org/rescode.html.
test.each([
  ['IOERR_READ', 266, 'SOUP_CORRUPT', 'SOUP_WRITE_FAILED'],
  ['IOERR_SHORT_READ', 522, 'SOUP_CORRUPT', 'SOUP_WRITE_FAILED'],
  ['IOERR_SHMSIZE, as when the disk is full', 4874, 'SOUP_READ_FAILED', 'SOUP_WRITE_FAILED'],
  ['IOERR_ACCESS', 3338, 'SOUP_READ_FAILED', 'SOUP_WRITE_FAILED'],
  ['CANTOPEN', 14, 'SOUP_READ_FAILED', 'SOUP_WRITE_FAILED'],
  ['READONLY_DIRECTORY', 1544, 'SOUP_READ_FAILED', 'SOUP_WRITE_FAILED'],
  ['FULL', 13, 'SOUP_READ_FAILED', 'SOUP_WRITE_FAILED'],
  ['CORRUPT_INDEX', 779, 'SOUP_CORRUPT', 'SOUP_CORRUPT'],
  ['MISUSE', 21, 'unchanged', 'unchanged'],
])('%s is damage only where it is about the content', (_, errcode, reading, writing) => {
  expect(codeOf(errcode, 'read')).toBe(reading)
  expect(codeOf(errcode, 'write')).toBe(writing)
})

test.each([
  ['IOERR_SHMSIZE', 4874, true],
  ['FULL', 13, true],
  ['IOERR_FSYNC', 1034, false],
])('%s is said as a full disk only where it is one', (_, errcode, isFull) => {
  for (const doing of ['read', 'write'] as const) {
    const error = soupErrorFrom(reported(errcode), 'soup.sqlite', doing)
    const said = isVaultError(error)
      ? [error.message.endsWith('The disk is full: make room, then repeat.'), error.details.errno]
      : []
    expect(said).toEqual(isFull ? [true, 'ENOSPC'] : [false, undefined])
  }
})
