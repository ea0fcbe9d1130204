import { expect, test } from 'vitest'
import { parseDecimal } from '../src/decimal.ts'

test('numbers are read up to 2^53 - 1, and not rounded beyond', () => {
  for (const value of [0, 7, 10, 2 ** 32, Number.MAX_SAFE_INTEGER]) expect(parseDecimal(`${value}`)).toBe(value)
  for (const text of [
    '9007199254740992',
    '9007199254740993',
    '9999999999999999',
    '10000000000000000',
    '1'.repeat(99),
  ]) {
    expect(parseDecimal(text)).toBe(undefined)
  }
})

test.each(['', '00', '01', '-0', '+1', '1.0', '1e3', ' 1', '1 ', '1\n', '0x1', '1_000', '١'])(
  '%j is no number',
  (text) => {
    expect(parseDecimal(text)).toBe(undefined)
  },
)
