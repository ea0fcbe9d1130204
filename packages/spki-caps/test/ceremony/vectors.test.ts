import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ceremonyCases, judged } from './ceremony-cases.ts'

const FOLDER = new URL('../../../../vectors/', import.meta.url)
const read = (path: string) => JSON.parse(readFileSync(new URL(path, FOLDER), 'utf8'))

test.each(['valid', 'invalid'])('the published vectors hold: ceremony/v1/%s', (kind) => {
  for (const { name, files, ...said } of read(`ceremony/v1/${kind}/ceremonies.json`)) {
    const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
    const found = judged(Object.keys(files).map((file) => ({ name: file, bytes: bytesOf(files[file]) })))
    expect([name, found]).toEqual([name, said])
    expect('code' in said, name).toBe(kind === 'invalid')
  }
})

test('the published vectors are still what the implementation writes', async () => {
  for (const [path, cases] of Object.entries(await ceremonyCases()))
    expect(read(path), path).toEqual(JSON.parse(JSON.stringify(cases)))
})
