import { toHex } from '@vault/core'
import type { Case, RefusedCase } from './cases.ts'
import { REFUSED, REFUSED_KEYS, REFUSED_LATER, VALID, VALID_KEYS, VALID_LATER } from './cases.ts'
import { forge, OLD, VAULT } from './forge.ts'

/** What the files under `vectors/migration-certificate` hold, by their path there: one case for each rule and field. */
export async function vectorCases(): Promise<Record<string, readonly object[]>> {
  const rules = new Map(REFUSED.toReversed().map((each) => [`${each.code} ${each.subject}`, each]))
  return {
    'migration-certificate/v1/valid/certificates.json': await valid(VALID),
    'migration-certificate/v1/valid/coverage.json': await valid(VALID_LATER),
    'migration-certificate/v1/valid/moved-keys.json': await valid(VALID_KEYS),
    'migration-certificate/v1/invalid/certificates.json': await refused([...rules.values()].toReversed()),
    'migration-certificate/v1/invalid/log.json': await refused(REFUSED_LATER),
    'migration-certificate/v1/invalid/moved-keys.json': await refused(REFUSED_KEYS),
  }
}

function valid(cases: readonly Case[]): Promise<object[]> {
  return Promise.all(
    cases.map(async ({ name, forgery }) => {
      return { name, vault: VAULT, keys: [OLD.identity.key], certificate: toHex(await forge(forgery)) }
    }),
  )
}

function refused(cases: readonly RefusedCase[]): Promise<object[]> {
  return Promise.all(
    cases.map(async ({ name, code, subject, forgery }) => {
      return { name, code, subject, certificate: toHex(await forge(forgery)) }
    }),
  )
}
