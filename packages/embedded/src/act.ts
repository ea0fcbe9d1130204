/** A change of the vault in the words of its entry in the audit log: formats/audit-log.md has the vault's own verbs. */
export interface Act {
  /** 1 to 128 characters, as `put`. */
  readonly verb: string
  /** What it is done to. Default: what the change names, see `objectOf`. */
  readonly object?: string
  /** Why, in words. */
  readonly motivation?: string
  /** Idempotency key of the entry, 1 to 512 characters. Default: 16 random bytes in hexadecimal. */
  readonly key?: string
}

/** What may be said about a change by whoever makes it. */
export type Reason = Pick<Act, 'motivation'>
