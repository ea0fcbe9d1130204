import type { Finding } from '@vault/core'
import { VaultError } from '@vault/core'

/** The `code` of the errors about ceremonies. */
export type CeremonyErrorCode =
  /** There is no plan, or it is not one that can be carried out. */
  | 'CEREMONY_PLAN_INVALID'
  /** Files were refused, so nothing goes on before somebody has looked at them. `details.findings`. */
  | 'CEREMONY_REFUSED'
  /** Somebody still owes something. `details.owed`. */
  | 'CEREMONY_INCOMPLETE'
  /** It is not the time of the ceremony: before it was planned, or after it expired. `details.created`, `details.expires`. */
  | 'CEREMONY_EXPIRED'

/** The `code` of the findings about the files of a ceremony. */
export type CeremonyFindingCode =
  /** A file that is none of a ceremony's. */
  | 'CEREMONY_FILE_UNKNOWN'
  /** Not the document that its name says. */
  | 'CEREMONY_FILE_INVALID'
  /** The document of somebody else than its name says. */
  | 'CEREMONY_FILE_NAME'
  /** Of another ceremony, or of another plan. */
  | 'CEREMONY_FILE_FOREIGN'
  /** By a key that has no such part in the ceremony. */
  | 'CEREMONY_NOT_MEMBER'
  /** Not signed by whose document it is, or its signature of the key event is none. */
  | 'CEREMONY_SIGNATURE'
  /** Two different documents of one member: evidence. Neither counts, but the one that a commit names. */
  | 'CEREMONY_TWICE'
  /** Made, by its own word, outside the time of the ceremony. */
  | 'CEREMONY_TIME'
  /** Shares that are not those which the plan asks for, or a receipt that does not prove that its shares were decrypted. */
  | 'CEREMONY_SHARES'
  /** Not what the documents that it names give, or not all that the plan asks for. */
  | 'CEREMONY_COMMIT_INVALID'

export function planInvalid(reason: string, cause?: unknown): VaultError<CeremonyErrorCode> {
  return new VaultError({ code: 'CEREMONY_PLAN_INVALID', message: `Not a plan of a ceremony: ${reason}.`, cause })
}

/** Throws `CEREMONY_PLAN_INVALID` unless the condition holds. */
export function checkPlan(condition: boolean, reason: string): asserts condition {
  if (!condition) throw planInvalid(reason)
}

/** What is wrong with a file: thrown where it is found, and caught where the file is read. */
export class FileRefusal extends Error {
  readonly code: CeremonyFindingCode

  constructor(code: CeremonyFindingCode, reason: string) {
    super(reason)
    this.code = code
  }

  finding(file: string): Finding {
    return { code: this.code, message: `${file} is refused: ${this.message}.`, subject: file }
  }
}

/** Throws a {@link FileRefusal} unless the condition holds. */
export function checkFile(condition: boolean, code: CeremonyFindingCode, reason: string): asserts condition {
  if (!condition) throw new FileRefusal(code, reason)
}
