import { type Envelope, encodeEnvelope, hashBytes, toHex, utf8 } from '@vault/core'
import type { Entry } from '@vault/soup'
import { type OpenValidation, openValidation, principalText, type Validation } from '@vault/spki-caps'
import { openedIn, VALIDATION, VALIDATION_PREFIX } from './cap-entry.ts'

/** The entry of a validation: of each certificate and issuer there is one, and by its contract only a later one takes its place. */
export function validationEntry(envelope: Envelope): Entry {
  const { record } = openValidation(envelope)
  const fields = { envelope: encodeEnvelope(envelope), stats: { from: record.from } }
  return { key: keyOf(record), type: VALIDATION, fields }
}

/** The validation in an entry; `undefined` where there is none, or another one than its key says: by what is not readable nothing holds. */
export function keptValidation({ key, fields }: Entry): OpenValidation | undefined {
  const opened = openedIn(fields.envelope, openValidation)
  return opened !== undefined && key === keyOf(opened.record) ? opened : undefined
}

/** A hash of who made it, because a threshold of many is a long text. */
function keyOf({ certificate, issuer }: Validation): string {
  return `${VALIDATION_PREFIX}${certificate.id}/${toHex(hashBytes('sha2-256', utf8(principalText(issuer))))}`
}
