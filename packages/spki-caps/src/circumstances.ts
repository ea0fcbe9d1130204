import type { Freshness } from './freshness.ts'
import type { KeyDirectory } from './key-directory.ts'
import type { CapsLimits } from './limits.ts'
import type { RevocationView } from './revocation-view.ts'
import type { Root } from './root.ts'
import type { ValidationView } from './validation-view.ts'
import type { SignatureMemo } from './voices.ts'

/** What whoever verifies goes by. What could make a verification pass by being forgotten has no default. */
export interface Circumstances {
  readonly roots: readonly Root[]
  readonly keys: KeyDirectory
  /** `unchecked`: nobody looks whether anything was revoked, and the trace says so. */
  readonly revocations: RevocationView | 'unchecked'
  /** Default: there are none, so no certificate holds that asks for one. */
  readonly validations?: ValidationView
  readonly now: Date
  /** Default: `DEFAULT_FRESHNESS`. */
  readonly freshness?: Freshness
  readonly limits?: CapsLimits
  /** Remembers signatures from one question to the next. */
  readonly memo?: SignatureMemo
}
