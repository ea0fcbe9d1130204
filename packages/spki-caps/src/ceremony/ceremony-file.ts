import type { KeyId } from '@vault/core'

/** A file of a ceremony's folder. */
export interface CeremonyFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** No file of a ceremony is longer. */
export const MAX_CEREMONY_FILE: number = 4 * 1024 * 1024

export const PLAN_FILE = 'plan.cbor'
export const COMMIT_FILE = 'commit.cbor'

/** What a member may file, and how the names of the files begin. */
export type DocumentKind = 'contrib' | 'receipt' | 'attest'

/** The one file of a member of this kind. */
export function fileNameOf(kind: DocumentKind, key: KeyId): string {
  return `${kind}-${key.slice(key.indexOf(':') + 1)}.cbor`
}

/** As which kind a file is read; by its ending too where somebody's software made a second one of it. */
export function kindOf(name: string): DocumentKind | undefined {
  return /^(contrib|receipt|attest)-[^/]*\.cbor$/.exec(name)?.[1] as DocumentKind | undefined
}
