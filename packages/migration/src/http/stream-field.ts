import type { ReadBlock } from '@vault/cas'
import type { Bytes, ContentId } from '@vault/core'
import { hasFields } from '@vault/core'
import type { Field } from '../records/field.ts'
import { count, list, map, nullable, text } from '../records/field.ts'
import { anyBytes, ids, keyEvents, migration, note } from './wire-field.ts'

/** Blocks as they travel: the bytes of each, one after the other, are the body of the frame. */
export interface BlockList {
  readonly ids: readonly ContentId[]
  readonly sizes: readonly number[]
}

/** A part of the answer to a bulk read. */
export interface BlockPiece extends BlockList {
  readonly absent: readonly ContentId[]
  readonly damaged: readonly ContentId[]
}

const sizes = list(count, 65_536)
export const blockList: Field<BlockList> = map<BlockList>({ ids, sizes })
export const blockPiece: Field<BlockPiece> = map<BlockPiece>({ ids, sizes, absent: ids, damaged: ids })
export const objectRequest: Field<{ readonly ids: readonly ContentId[] }> = map({ ids })

/** Between two frames: the other end is there, and works on it or waits. */
export interface Working {
  readonly type: 'working'
}

export const WORKING: Working = { type: 'working' }

export function isWorking(value: unknown): value is Working {
  return hasFields(value, 'type') && value.type === WORKING.type
}

/** What the other end wants to have of a trail: a file of it, or no more. */
export const trailQuestion: Field<{ readonly need: string | null } | Working> = (value, name) =>
  isWorking(value) ? value : map({ need: nullable(text(256)) })(value, name)
export const trailFile: Field<Bytes | null> = nullable(anyBytes)
export const moveTrailRequest: Field<{
  readonly migration: string
  readonly note: Bytes
  readonly size: number
}> = map({ migration, note, size: count })
export const copyTrailRequest: Field<{
  readonly keyEvents: readonly Bytes[]
  readonly note: Bytes
}> = map({ keyEvents, note })

/** The blocks that a frame carries, in its own memory; `undefined` where its lengths contradict each other. */
export function cutBlocks({ ids, sizes }: BlockList, body: Bytes): readonly ReadBlock[] | undefined {
  if (ids.length !== sizes.length) return undefined
  const blocks: ReadBlock[] = []
  let at = 0
  for (const [i, id] of ids.entries()) {
    const end = at + (sizes[i] as number)
    if (end > body.length) return undefined
    blocks.push({ id, bytes: body.subarray(at, end) })
    at = end
  }
  return at === body.length ? blocks : undefined
}
