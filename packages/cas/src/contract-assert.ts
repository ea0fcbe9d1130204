import type { ContentId } from '@vault/core'
import { equalBytes } from '@vault/core'
import { assertSame, assertThat } from '@vault/core/testing'
import type { ContentStore } from './cas.ts'

/** Throws unless the store has these bytes under the id. */
export async function assertHolds(store: ContentStore, id: ContentId, bytes: Uint8Array): Promise<void> {
  assertSame(await store.has(id), true, `has of ${id}`)
  const read = await store.get(id)
  assertThat(
    read !== undefined && equalBytes(read, bytes),
    `get of ${id} gives the ${bytes.length} bytes that were put`,
  )
}

/** Throws unless the call is rejected with the reason of a signal that was aborted before, the same object. */
export async function assertAborts(call: (signal: AbortSignal) => Promise<unknown>, name: string): Promise<void> {
  const reason = { reason: name }
  assertThat(
    (await rejection(call(AbortSignal.abort(reason)))) === reason,
    `an aborted ${name} throws the signal's reason`,
  )
}

/** What a promise is rejected with; `undefined` where it is not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

/** Everything that an iteration of pages gives, in order. */
export async function gather<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = []
  for await (const page of pages) all.push(...page)
  return all
}
