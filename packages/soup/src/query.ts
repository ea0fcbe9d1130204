import type { FieldValue } from './field-value.ts'

/**
 * A field is named by a dotted path into `fields`, as in `stats.transits`, or is one of `key`, `type`, `object`.
 * Values of different kinds are ordered null < boolean < number < text < bytes < list < map.
 * Any comparison with a missing field is false, also `!=`; `not` turns that round.
 */
export type Condition =
  | { readonly op: '=' | '!=' | '<' | '<=' | '>' | '>='; readonly field: string; readonly value: FieldValue }
  /** Both ends included. */
  | { readonly op: 'between'; readonly field: string; readonly low: FieldValue; readonly high: FieldValue }
  /** `*` stands for any text, `?` for one character; everything else for itself. */
  | { readonly op: 'like'; readonly field: string; readonly pattern: string }
  /** A list has the element, or a text the part. */
  | { readonly op: 'contains'; readonly field: string; readonly value: FieldValue }
  | { readonly op: 'exists' | 'missing'; readonly field: string }
  /** An empty `and` holds, an empty `or` does not. */
  | { readonly op: 'and' | 'or'; readonly conditions: readonly Condition[] }
  | { readonly op: 'not'; readonly condition: Condition }

/** Which entries, in which order. */
export interface Query {
  /** Only entries whose key begins with this text. */
  readonly prefix?: string
  readonly where?: Condition
  /**
   * Default: ascending by key, as UTF-8 bytes. Equal values are ordered by key. A missing field comes first.
   * Descending is exactly the reverse of ascending.
   */
  readonly order?: { readonly field: string; readonly direction?: 'ascending' | 'descending' }
  /**
   * Goes on strictly after this entry in the order asked for. `value` is its value of the field ordered by, absent
   * where that is missing; an order by key needs none.
   */
  readonly after?: { readonly key: string; readonly value?: FieldValue }
  readonly limit?: number
}
