import { readFileSync } from 'node:fs'
import type { KeyId, VaultId } from '@vault/core'
import { describe, expect, it } from 'vitest'
import { verifyCertificate } from '../../src/index.ts'
import { vectorCases } from './vector-cases.ts'

interface Valid {
  readonly name: string
  readonly vault: VaultId
  readonly keys: readonly KeyId[]
  readonly certificate: string
}

interface Invalid extends Omit<Valid, 'vault' | 'keys'> {
  readonly code: string
  readonly subject: string
}

const FOLDER = new URL('../../../../vectors/', import.meta.url)
const read = (path: string) => JSON.parse(readFileSync(new URL(path, FOLDER), 'utf8'))
const fromHex = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

describe('the published vectors', () => {
  it.each(['certificates', 'coverage', 'moved-keys'])('hold: valid %s', (file) => {
    const cases = read(`migration-certificate/v1/valid/${file}.json`) as Valid[]
    for (const { name, vault, keys, certificate } of cases) {
      const bytes = fromHex(certificate)
      const verdicts = [{}, { vaults: [vault] }, { keys }].map((trust) => verifyCertificate(bytes, { trust }))
      expect([name, ...verdicts.map(({ consistent }) => consistent)]).toEqual([name, true, true, true])
      expect([name, ...verdicts.map(({ trusted }) => trusted)]).toEqual([name, false, true, true])
    }
  })

  it.each(['certificates', 'log', 'moved-keys'])('hold: invalid %s', (file) => {
    const cases = read(`migration-certificate/v1/invalid/${file}.json`) as Invalid[]
    for (const { name, code, subject, certificate } of cases) {
      const { consistent, findings } = verifyCertificate(fromHex(certificate))
      expect([name, consistent]).toEqual([name, false])
      expect(findings, name).toContainEqual(expect.objectContaining({ code, subject }))
    }
  })

  it('are still what the implementation writes', async () => {
    for (const [path, cases] of Object.entries(await vectorCases())) expect(read(path), path).toEqual(cases)
  })
})
