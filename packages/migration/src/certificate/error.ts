/** The `code` of the errors of this folder. */
export type CertificateErrorCode =
  /** What was given does not make a certificate that would be consistent. `details.findings`. */
  'MIGRATION_CERTIFICATE_INCONSISTENT'

/** The `code` of the findings about a migration certificate; `subject` is the field. */
export type CertificateFindingCode =
  /** Bytes that are no certificate, or a document in it that is not well-formed. */
  | 'MIGRATION_CERTIFICATE_INVALID'
  /** A signature that is needed is missing or bad, or there is one that does not belong there. */
  | 'MIGRATION_CERTIFICATE_UNSIGNED'
  /** The key events are no history, or not that of this vault. */
  | 'MIGRATION_CERTIFICATE_KEYS'
  /** Two places that must say the same do not. */
  | 'MIGRATION_CERTIFICATE_DISAGREES'
  /** A checkpoint of the audit log is not the log's, or a proof does not hold. */
  | 'MIGRATION_CERTIFICATE_LOG'
  /** An entry of the audit log is not about this migration. */
  | 'MIGRATION_CERTIFICATE_ENTRY'
  /** Times are not in order. */
  | 'MIGRATION_CERTIFICATE_TIMES'
  /** Numbers that cannot be, or a verification that did not cover what it says or that found something. */
  | 'MIGRATION_CERTIFICATE_COUNTS'
  /** Not a fault: nothing that was given vouches for the vault. `subject`: the vault. */
  | 'MIGRATION_CERTIFICATE_UNTRUSTED'
