import type { ContentId, Envelope, Finding } from '@vault/core'
import type { KeyDirectory } from './key-directory.ts'
import type { Opened } from './record.ts'
import { hearingOf, isByPresentKeys, readable } from './signed-records.ts'
import { speak } from './speak.ts'
import type { Validation } from './validation.ts'
import { openValidation, VALIDATION } from './validation.ts'
import type { Voices } from './voices.ts'
import { envelopeVoices } from './voices.ts'

/** What is known of certificates that hold only while somebody says so. */
export interface ValidationView {
  /** The validations of this certificate, whoever made them and for whatever time. Whether one counts is seen with the question. */
  of(certificate: ContentId): readonly SignedValidation[]
  /** What was given and does not count, with `CAPS_VALIDATION_UNUSABLE`. */
  readonly unusable: readonly Finding[]
}

/** A validation that its issuer has signed, by keys that are the present ones. */
export interface SignedValidation extends Opened<Validation> {
  /** Those who have signed it: one of their keys may be revoked for one who asks, and not for another. */
  readonly voices: Voices
}

/** Verifies validations, once for any number of questions. As with sets of revocations, those by replaced keys count for nothing. */
export function createValidationView(given: {
  readonly validations: Iterable<Envelope>
  readonly keys: KeyDirectory
}): ValidationView {
  const byCertificate = new Map<ContentId, SignedValidation[]>()
  const unusable: Finding[] = []
  const refuse = (message: string, subject?: string) =>
    unusable.push({ code: 'CAPS_VALIDATION_UNUSABLE', message, ...(subject === undefined ? {} : { subject }) })

  for (const opened of readable(given.validations, openValidation, refuse)) {
    const { record, envelope, id } = opened
    const voices = envelopeVoices(VALIDATION, envelope)
    if (!speak(record.issuer, hearingOf(record, voices, given.keys)).ok) {
      refuse('The validation is not signed by its issuer.', id)
    } else if (!isByPresentKeys(opened, given.keys)) {
      refuse('The validation is signed by replaced keys.', id)
    } else {
      const others = byCertificate.get(record.certificate.id)
      if (others === undefined) byCertificate.set(record.certificate.id, [{ ...opened, voices }])
      else others.push({ ...opened, voices })
    }
  }
  return { of: (certificate) => byCertificate.get(certificate) ?? [], unusable }
}
