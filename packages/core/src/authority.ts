import type { ContentId } from './content-id.ts'
import type { Finding } from './error.ts'
import type { KeyId } from './key-id.ts'
import type { AbortOptions } from './options.ts'

/** What someone wants to do. Whoever asks must have established who the signers are; whoever grants trusts nothing else. */
export interface AuthorityRequest {
  /** Keys whose signature over this very request has been verified; empty where a process acts for whoever opened the place. */
  readonly signers: readonly KeyId[]
  /** Keys of those who approved it beforehand, verified likewise. Signers and approvals are counted as distinct persons. */
  readonly approvals?: readonly KeyId[]
  /** A verb, as in `read`, `write`, `migrate`. */
  readonly action: string
  /** What is acted on: the id of a vault, or of an object in it. */
  readonly object: ContentId
  /** Only what lies at or below this path in it. Default: all of it, which is more; whoever does not look at this grants no more. */
  readonly path?: readonly string[]
  /** The time at which the grant must hold. */
  readonly at: Date
}

/** Leave to do what was asked, and nothing else. */
export interface Grant {
  readonly action: string
  readonly object: ContentId
  /** Until when it holds; work that takes longer asks again. Absent: as long as the process that asked. */
  readonly expires?: Date
  /** Whether proofs were checked, or the place's owner is simply trusted. */
  readonly proven: boolean
}

/** Grants, or throws a `VaultError` that lists every reason in `details.findings`. Fails closed. */
export type Authorize = (request: AuthorityRequest, options?: AbortOptions) => Promise<Grant>

/** Judges chains of delegations where they are kept, for instance before and after a vault has moved. */
export interface Authority {
  /** Why chains that should hold do not; empty where all do. */
  validate(at: Date, options?: AbortOptions): Promise<readonly Finding[]>
  /** What was kept, gained and lost in comparison with another authority. */
  diff(other: Authority, at: Date, options?: AbortOptions): Promise<readonly Finding[]>
}
