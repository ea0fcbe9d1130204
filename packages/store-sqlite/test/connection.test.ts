import { expect, test } from 'vitest'
import { Connection } from '../src/connection.ts'
import { temporaryFolder } from './temporary-folder.ts'

const [NORMAL, FULL] = [1, 2]

test('a change that is flushed with a later one leaves that one flushed, whether it succeeds or not', () => {
  using folder = temporaryFolder()
  const db = new Connection(folder.file('any.sqlite'), 'write')
  const level = () => db.get('PRAGMA synchronous')?.synchronous
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (n)')
  expect(db.transactionToFlush(level)).toBe(NORMAL)
  expect(db.transaction(level)).toBe(FULL)
  const failing = () => {
    db.run('INSERT INTO t VALUES (1)')
    throw new Error('no')
  }
  expect(() => db.transactionToFlush(failing)).toThrow('no')
  expect(db.transaction(level)).toBe(FULL)
  expect(db.all('SELECT * FROM t')).toEqual([])
  db.close()
})
