import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { copyBytes } from '@vault/core'
import type { BulkCasReader } from './cas.ts'
import type { FilePart } from './file-manifest.ts'
import { damaged, malformed, missing } from './node.ts'

/** A part and its bytes, which are the caller's own. */
export interface ReadPart<Part extends FilePart> {
  readonly part: Part
  readonly bytes: Bytes
}

/**
 * Reads the parts of the file `root` in bulk and yields them in the order asked for, though stores answer a batch in any.
 * Holds the batches that the store has begun to read. Throws `CAS_MISSING`, `CAS_CORRUPT`, `CAS_MALFORMED` when the turn
 * of a bad part comes.
 */
export async function* readInOrder<Part extends FilePart>(
  reader: BulkCasReader,
  root: ContentId,
  batches: AsyncIterable<readonly Part[]>,
  options: AbortOptions,
): AsyncGenerator<ReadPart<Part>> {
  // Batches asked for and not yet yielded whole, and how much of the first has been.
  const asked: { readonly parts: readonly Part[]; readonly isDistinct: boolean }[] = []
  let next = 0
  let isAllAsked = false
  async function* requests(): AsyncGenerator<readonly ContentId[]> {
    for await (const parts of batches) {
      const ids = new Set(parts.map(({ id }) => id))
      asked.push({ parts, isDistinct: ids.size === parts.length })
      yield [...ids]
    }
    isAllAsked = true
  }

  const answers = new Map<ContentId, Bytes | 'absent' | 'damaged'>()
  for await (const piece of reader.getMany(requests(), options)) {
    for (const { id, bytes } of piece.blocks) answers.set(id, bytes)
    for (const id of piece.absent) answers.set(id, 'absent')
    for (const id of piece.damaged) answers.set(id, 'damaged')

    const batch = asked[0]
    if (batch === undefined) continue
    for (let part = batch.parts[next]; part !== undefined; part = batch.parts[++next]) {
      const answer = answers.get(part.id)
      if (answer === undefined) break
      if (answer === 'absent') throw missing(part.id, root)
      if (answer === 'damaged') throw damaged(part.id, root)
      if (answer.length !== part.size) {
        throw malformed(root, `it says that ${part.id} is ${part.size} bytes long, and it is ${answer.length}`)
      }
      // A caller may change what it was given; a part that comes twice in a batch is read once.
      yield { part, bytes: batch.isDistinct ? answer : copyBytes(answer) }
    }
    if (next < batch.parts.length) continue
    asked.shift()
    answers.clear()
    next = 0
  }
  if (asked.length > 0 || !isAllAsked) throw missing(asked[0]?.parts[next]?.id ?? root, root)
}
