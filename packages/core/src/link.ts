import type { ContentId } from './content-id.ts'

// A registered symbol, so that two installed copies of this package recognise each other's links.
const LINK = Symbol.for('@vault/core/link')

/** A content id inside a DAG-CBOR value, where it stands as tag 42. Made with {@link link}, recognised with {@link isLink}. */
export interface Link {
  readonly id: ContentId
  readonly [Symbol.toStringTag]: 'Link'
}

/** The link to this object. */
export function link(id: ContentId): Link {
  return { id, [Symbol.toStringTag]: 'Link', [LINK]: true } as Link
}

/** Whether a value was made by {@link link}. A decoded map cannot pretend to be one, whatever its keys. */
export function isLink(value: unknown): value is Link {
  return typeof value === 'object' && value !== null && (value as { [LINK]?: unknown })[LINK] === true
}
