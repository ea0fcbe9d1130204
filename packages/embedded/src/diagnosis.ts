/** One thing that was looked at. */
export interface Check {
  /** What: `folder`, `vault.json`, `checksums`, `keys`, `space`, `soup.sqlite`, `tenure`, `identity`, `operators`, `log`, `packs`, `migration`, `capabilities`, `stores`. */
  readonly name: string
  readonly ok: boolean
  /** What was found, and what it means. */
  readonly message: string
  /** What to do next, with the command to run. Only where something is wrong. */
  readonly advice?: string
  /**
   * Where something is wrong, whether data is lost by it: `no`; `key`, a key and no content; `old`, the state is not the newest; `here`,
   * unless another copy has it; `unknown`.
   */
  readonly lost?: 'no' | 'key' | 'old' | 'here' | 'unknown'
}

/** What a look at a vault gives. */
export interface Diagnosis {
  readonly ok: boolean
  /** First of all: whether data is lost. */
  readonly summary: string
  readonly checks: readonly Check[]
}
