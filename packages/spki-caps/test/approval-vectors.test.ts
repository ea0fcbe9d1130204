import { readFileSync } from 'node:fs'
import type { Envelope } from '@vault/core'
import { decodeEnvelope, verifyKeyHistory } from '@vault/core'
import { createKeyDirectory, isApproved, mandateSigners, openApproval } from '@vault/spki-caps'
import { describe, expect, test } from 'vitest'
import { approvalCases } from './approval-cases.ts'
import { codeOf } from './support.ts'

const FOLDER = new URL('../../../vectors/', import.meta.url)
const read = (path: string) => JSON.parse(readFileSync(new URL(`capability/v1/${path}.json`, FOLDER), 'utf8'))
const envelopeOf = (hex: string): Envelope => decodeEnvelope(Uint8Array.from(Buffer.from(hex, 'hex')))

describe('the published vectors of approvals and mandates', () => {
  test('hold: approvals', () => {
    for (const { name, envelope, ...said } of read('valid/approvals')) {
      const { id, record } = openApproval(envelopeOf(envelope))
      const { vault, action, act, approver } = record
      expect({ id, vault: vault.id, action, act: act.id, approver }, name).toEqual(said)
      expect(isApproved(envelopeOf(envelope)), name).toBe(true)
    }
    for (const { name, envelope, code } of read('invalid/approvals')) {
      expect(
        codeOf(() => openApproval(envelopeOf(envelope))),
        name,
      ).toBe(code)
      if (code === undefined) expect(isApproved(envelopeOf(envelope)), name).toBe(false)
    }
  })

  test.each(['valid', 'invalid'])('hold: %s mandates', (kind) => {
    for (const { name, envelope, histories, signers, code } of read(`${kind}/mandates`)) {
      const states = histories.map((history: string[]) => verifyKeyHistory(history.map(envelopeOf)))
      const keys = createKeyDirectory(states)
      expect(
        codeOf(() => mandateSigners(envelopeOf(envelope), keys)),
        name,
      ).toBe(code)
      if (code === undefined) expect(mandateSigners(envelopeOf(envelope), keys), name).toEqual(signers ?? [])
      if (code === undefined) expect(signers === undefined, name).toBe(kind === 'invalid')
    }
  })

  test('are still what the implementation writes', async () => {
    for (const [path, cases] of Object.entries(await approvalCases()))
      expect(JSON.parse(readFileSync(new URL(path, FOLDER), 'utf8')), path).toEqual(JSON.parse(JSON.stringify(cases)))
  })
})
