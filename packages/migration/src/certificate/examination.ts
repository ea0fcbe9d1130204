import type { Finding } from '@vault/core'
import { compareBytes, encode, isVaultError } from '@vault/core'
import type { CertificateFindingCode } from './error.ts'

const CODES: Readonly<Record<string, CertificateFindingCode>> = {
  MIGRATION_RECORD_FOREIGN: 'MIGRATION_CERTIFICATE_DISAGREES',
  SIGNATURE_THRESHOLD: 'MIGRATION_CERTIFICATE_UNSIGNED',
}

/** The faults of a certificate as they are found. */
export class Examination {
  readonly #faults: Finding[] = []

  get faults(): readonly Finding[] {
    return this.#faults
  }

  report(code: CertificateFindingCode, subject: string, message: string): void {
    this.#faults.push({ code, message, subject })
  }

  /** Reports unless the condition holds. */
  require(holds: boolean, code: CertificateFindingCode, subject: string, message: string): void {
    if (!holds) this.report(code, subject, message)
  }

  /** Reports unless both values have the same canonical bytes. */
  agree(subject: string, actual: unknown, expected: unknown): void {
    const same = compareBytes(encode(actual), encode(expected)) === 0
    this.require(
      same,
      'MIGRATION_CERTIFICATE_DISAGREES',
      subject,
      `${subject} is not what the rest of the certificate says.`,
    )
  }

  /**
   * What `read` gives; where it refuses, that is reported under the code given, or under that of disagreement or of a
   * missing signature where it is one of these.
   */
  attempt<T>(code: CertificateFindingCode, subject: string, read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (!isVaultError(error)) throw error
      const { field } = error.details
      const where = typeof field === 'string' ? `${subject}.${field}` : subject
      this.report(CODES[error.code] ?? code, where, error.message)
      return undefined
    }
  }
}
