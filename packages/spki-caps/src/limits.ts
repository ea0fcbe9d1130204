/** Bounds of what is looked at for one question. */
export interface CapsLimits {
  /** Certificates of a proof. Default 64. */
  readonly certificates?: number
  /** Certificates in a row. Default 10. */
  readonly depth?: number
  /** Signatures on one certificate or request. Default 64. */
  readonly signatures?: number
  /** Certificates that a search verifies; it reads at most 16 times as many. Default 10,000. */
  readonly search?: number
}

export function withDefaults(limits: CapsLimits = {}): Required<CapsLimits> {
  return { certificates: 64, depth: 10, signatures: 64, search: 10_000, ...limits }
}
