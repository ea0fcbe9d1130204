import type { ContentId, KeyId } from '@vault/core'
import type { CapsFindingCode } from './finding-code.ts'
import type { Tag } from './tag.ts'

/** What was looked at, in this order, of one certificate. */
export type CheckName =
  | 'audience'
  | 'chain'
  | 'delegation'
  | 'tag'
  | 'validity'
  | 'keys'
  | 'revocation'
  | 'signature'
  | 'validation'
  | 'coverage'
  | 'replay'

/** `unchecked`: nothing was found wrong because nobody looked. */
export type CheckState = 'passed' | 'failed' | 'unchecked'

export interface Check {
  readonly name: CheckName
  readonly state: CheckState
  /** For people. */
  readonly note: string
}

/** The first thing that is wrong, with both sides of the comparison that failed. */
export interface Refusal {
  readonly code: CapsFindingCode
  readonly message: string
  readonly have?: string
  readonly asked?: string
}

/** One link of a chain and what was seen of it. */
export interface TraceStep {
  /** `name`: a certificate that says who is called by a name. */
  readonly kind: 'root' | 'certificate' | 'name' | 'request'
  /** Of the certificate or request. */
  readonly id?: ContentId
  /** Who grants, for the root its name, and who is granted to or asks; of a name itself, and who is called so. */
  readonly from: string
  readonly to: string
  /** What this link grants or asks. */
  readonly tag?: Tag
  readonly delegate?: boolean
  /** Seconds since 1970; absent: for ever. */
  readonly expires?: number
  readonly checks: readonly Check[]
  readonly refusal?: Refusal
}

/** What was granted in the end. */
export interface Effective {
  readonly root: string
  readonly tag: Tag
  /** Seconds since 1970: until when everything in the chain holds. `null`: for ever. */
  readonly expires: number | null
  /** The keys of those who asked. */
  readonly keys: readonly KeyId[]
  /** It is granted for this one request, as a certificate of the chain asks. */
  readonly once?: true
}

/** An answer with its reasons. Equal inputs have equal answers. */
export type Verdict =
  | { readonly ok: true; readonly trace: readonly TraceStep[]; readonly effective: Effective }
  | { readonly ok: false; readonly code: CapsFindingCode; readonly trace: readonly TraceStep[] }
