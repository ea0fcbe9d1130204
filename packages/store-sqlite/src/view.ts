import type { AbortOptions, Bytes, KeyTable } from '@vault/core'
import { KEY_LENGTH } from '@vault/core'
import type { SoupView } from '@vault/soup'
import { pairsInRange } from './entry-rows.ts'
import type { WriteIfFree } from './kept-tree.ts'
import { KeptTree } from './kept-tree.ts'
import type { KeyRange } from './key-range.ts'
import { keyRange, requirePrefix } from './key-range.ts'
import { memberKeysInRange } from './member-rows.ts'
import type { Moment } from './moment.ts'
import { nextTurn } from './turn.ts'

/** A view over a connection that holds a read transaction, and what has to be done when it ends. */
export interface OpenView {
  readonly view: SoupView
  /** Keeps the subtrees that were computed over the view. */
  finish(): Promise<void>
  /** From now on the view refuses to read. */
  end(): void
}

export function openView(moment: Moment, write: WriteIfFree): OpenView {
  const { db, at } = moment
  let open = true
  const requireOpen = (options: AbortOptions | undefined) => {
    options?.signal?.throwIfAborted()
    if (!open) throw new TypeError('This view has ended: it is valid while the function that received it runs')
  }
  const objects = new KeptTree(moment, 'objects', write)
  const entries = new KeptTree(moment, 'entries', write)
  return {
    view: {
      sequence: at.tenure.sequence,
      counts: at.counts,
      objects: keyTable(objects, requireOpen, (range) => ({
        keys: moment.read(() => memberKeysInRange(db, at.vault, range)),
      })),
      entries: keyTable(entries, requireOpen, (range) => {
        const pairs = moment.read(() => pairsInRange(db, at.vault, range))
        return { keys: pairs.map(({ key }) => key), values: pairs.map(({ value }) => value) }
      }),
    },
    async finish() {
      await objects.flush()
      await entries.flush()
    },
    end() {
      open = false
    },
  }
}

/** Rows as they are read; `values` is absent in a table without any. */
type Rows = { readonly keys: readonly Bytes[]; readonly values?: readonly Bytes[] }

function keyTable(
  kept: KeptTree,
  requireOpen: (options: AbortOptions | undefined) => void,
  rowsIn: (range: KeyRange) => Rows,
): KeyTable {
  return {
    async scan({ prefix, after, limit }, options) {
      const range = keyRange(prefix, after, limit)
      await nextTurn()
      requireOpen(options)
      const { keys, values } = rowsIn(range)
      return { count: keys.length, keys: packed(keys), ...(values === undefined ? {} : { values: packed(values) }) }
    },
    async children(prefix, options) {
      requirePrefix(prefix)
      requireOpen(options)
      return kept.children(prefix)
    },
    async keep(subtrees, options) {
      for (const prefix of subtrees.keys()) requirePrefix(prefix)
      requireOpen(options)
      await kept.keep(subtrees)
    },
  }
}

function packed(parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.length * KEY_LENGTH)
  for (const [i, part] of parts.entries()) all.set(part, i * KEY_LENGTH)
  return all
}
