import type { AbortOptions, ContentId } from '@vault/core'
import { evacuate } from '@vault/transfer'
import type { Place } from './place.ts'

/** A damaged segment, and what was found damaged in it. */
export interface DamagedSegment {
  readonly name: string
  readonly damaged: readonly ContentId[]
}

const SEGMENT = /^objects\/([0-9a-f]{32})\.pack$/

/** The name of the segment that a scrub names. */
export function segmentOf(subject: string | undefined): string | undefined {
  return SEGMENT.exec(subject ?? '')?.[1]
}

/**
 * Takes damaged segments out of use: what is needed of one and can be read is stored again, and is durable before the file is moved aside. One that has
 * the last, damaged copy of a lost object stays where it is, because a better tool may still get something out of it. Gives the
 * new paths. Afterwards the index is made anew.
 */
export async function healPacks(
  { objects, soups }: Place,
  segments: readonly DamagedSegment[],
  lost: ReadonlySet<ContentId>,
  options: AbortOptions,
): Promise<readonly string[]> {
  const mender = objects.mender()
  const aside: string[] = []
  for (const { name, damaged } of segments) {
    if (damaged.some((id) => lost.has(id))) continue
    await soups.reclaim.condemn([name], options)
    // What is found only behind the damage has come from elsewhere before.
    const evacuated = await evacuate({ objects, reclaim: soups.reclaim }, name, options)
    if (evacuated.lost.length > 0) continue
    const path = await mender.setAside(name, options)
    if (path !== undefined) aside.push(path)
  }
  await mender.dropIndex(options)
  return aside
}
