import type { ContentId } from '@vault/core'
import { contentId, utf8 } from '@vault/core'

/** The id of an object that is the text. */
export function idOf(text: string): ContentId {
  return contentId(utf8(text))
}

/** All items of all pages. */
export async function all<Item>(pages: AsyncIterable<readonly Item[]>): Promise<readonly Item[]> {
  return (await Array.fromAsync(pages)).flat()
}
