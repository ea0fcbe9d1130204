/** The `code` of the errors about a vault and what it holds. */
export type VaultErrorCode =
  /** No file, folder or object has this name or id. `details.name`. */
  | 'VAULT_NAME_UNKNOWN'
  /** A name that was to be given stands for something else. `details.name`. */
  | 'VAULT_NAME_TAKEN'
