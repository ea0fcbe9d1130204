import { expect, test, vi } from 'vitest'
import { launch } from '../bin/launch.mjs'
import { parseCondition } from '../src/condition-syntax.ts'
import { UsageError } from '../src/exit-code.ts'
import { counted, humanBytes, humanSeconds } from '../src/human.ts'
import { progressLine } from '../src/progress.ts'
import { run } from './harness.ts'

test('on an older Node a program says which one it needs', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const before = process.exitCode
  for (const version of ['18.19.0', '20.20.2', '22.17.9']) {
    await launch('vaultctl', version)
    expect(process.exitCode).toBe(2)
    expect(said.mock.lastCall?.[0]).toContain('needs Node 22.18 or newer')
  }
  process.exitCode = before
  said.mockRestore()
})

test('every command has help with an example', async () => {
  for (const [name, commands] of [
    ['vaultctl', ['init', 'put', 'get', 'ls', 'find', 'rm', 'root', 'verify', 'status']],
    ['vault-migrate', ['plan', 'run', 'verify']],
  ] as const) {
    for (const command of commands) {
      const { code, stdout } = await run(name, [command, '--help'])
      expect(code).toBe(0)
      expect(stdout).toContain('Example')
      expect(stdout).toContain('--json')
    }
  }
})

test('conditions are read as they are written', () => {
  expect(parseCondition('size>=1000')).toEqual({ op: '>=', field: 'size', value: 1000 })
  expect(parseCondition('type = policy')).toEqual({ op: '=', field: 'type', value: 'policy' })
  expect(parseCondition('key~path:*.jpg')).toEqual({ op: 'like', field: 'key', pattern: 'path:*.jpg' })
  expect(parseCondition('name="12"')).toEqual({ op: '=', field: 'name', value: '12' })
  expect(parseCondition('stats.transits!=3')).toEqual({ op: '!=', field: 'stats.transits', value: 3 })
  expect(parseCondition('tags')).toEqual({ op: 'exists', field: 'tags' })
  expect(parseCondition('!tags')).toEqual({ op: 'missing', field: 'tags' })
  expect(() => parseCondition('=3')).toThrow(UsageError)
})

test('figures are for people', () => {
  expect([humanBytes(0), humanBytes(1023), humanBytes(1536), humanBytes(300 * 1024 ** 3)]).toEqual([
    '0 B',
    '1023 B',
    '1.5 KiB',
    '300 GiB',
  ])
  expect([humanSeconds(0.42), humanSeconds(42.4), humanSeconds(200), humanSeconds(7500)]).toEqual([
    '0.4 s',
    '42 s',
    '3 min 20 s',
    '2 h 5 min',
  ])
  expect([counted(1, 'file'), counted(22_010, 'file')]).toEqual(['1 file', '22,010 files'])
})

test('a progress line has share, rate and time left', () => {
  const pace = { done: 500, bytes: 5 * 1024 ** 2, seconds: 5 }
  const bytes = 5 * 1024 ** 2
  expect(progressLine({ label: 'Verifying', done: 500, total: 1000, bytes }, pace)).toBe(
    'Verifying  [############............] 50 %  500/1,000  5.0 MiB  100/s  1.0 MiB/s  5.0 s left',
  )
  expect(progressLine({ label: 'Putting', done: 500, bytes }, pace)).toBe('Putting  500  5.0 MiB  100/s  1.0 MiB/s')
  expect(progressLine({ label: 'Putting', done: 7 }, { done: 7, bytes: 0, seconds: 0.1 })).toBe('Putting  7')
})

test('where the bytes are known, share and time left are theirs', () => {
  const standing = { label: 'Transferring', done: 900, total: 1000, bytes: 1024 ** 2, totalBytes: 4 * 1024 ** 2 }
  expect(progressLine(standing, { done: 900, bytes: 1024 ** 2, seconds: 2 })).toBe(
    'Transferring  [######..................] 25 %  900/1,000  1.0 MiB  450/s  512 KiB/s  6.0 s left',
  )
})
