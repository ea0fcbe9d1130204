import type { AbortOptions, ContentId, DistantTable } from '@vault/core'
import { isVaultError, VaultError } from '@vault/core'
import type { Entry, SoupReader, SoupView } from '@vault/soup'
import { decodeEntry, entryKey } from '@vault/soup'
import { previousOf } from '@vault/transfer'
import { FieldFault } from '../records/field.ts'
import type { Ask, HeldView } from './calls.ts'
import type { HttpErrorCode } from './http-error.ts'
import { remoteQuery } from './remote-query.ts'
import { markSpan, unpackDifferences } from './span-field.ts'
import { answerInvalid } from './wire-error.ts'
import { asBytes } from './wire-field.ts'

// A view that was let go, because the server began anew, is opened again: reading it has changed nothing.
const ATTEMPTS = 3

/** The state of a vault at another place, for reading. */
export function remoteSoup(ask: Ask): SoupReader {
  const entryWith = async (name: string, options?: AbortOptions): Promise<Entry | undefined> => {
    const [found] = await ask('entries-by-key', { keys: [entryKey(name)] }, options)
    return found && decodeEntry(found.bytes)
  }
  const version = async (id: ContentId, options?: AbortOptions) => (await ask('version', { id }, options)) ?? undefined

  async function* history(name: string, options?: AbortOptions): AsyncGenerator<Entry> {
    const [found] = await ask('entries-by-key', { keys: [entryKey(name)] }, options)
    for (let id = found && previousOf(found.bytes); id !== undefined; ) {
      const bytes = await version(id, options)
      if (bytes === undefined) return
      yield decodeEntry(bytes)
      id = previousOf(bytes)
    }
  }

  async function view<T>(read: (view: SoupView) => Promise<T>, options?: AbortOptions): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const held = await ask('open-view', null, options)
      try {
        return await read(remoteView(ask, held))
      } catch (error) {
        if (!isVaultError(error, 'HTTP_SESSION') || attempt === ATTEMPTS) throw error
      } finally {
        // One that nobody lets go ends by itself.
        await ask('close-view', { view: held.view }, options).catch(() => {})
      }
    }
  }

  return {
    tenure: (options) => ask('tenure', null, options),
    entry: entryWith,
    history,
    version,
    query: (query, options) => remoteQuery(ask, query, options),
    charged: (ids, options) => ask('charged', { ids }, options),
    members: (range, options) => ask('members', bytesOf(range), options),
    membersByKey: (keys, options) => ask('members-by-key', { keys: keys.map(asBytes) }, options),
    entriesAfter: (range, options) => ask('entries', bytesOf(range), options),
    entriesByKey: (keys, options) => ask('entries-by-key', { keys: keys.map(asBytes) }, options),
    changes: () => notOverTheWire('changes'),
    feed: (options) => ask('feed', null, options),
    held: (range, options) => ask('held', range, options),
    holds: (ids, options) => ask('holds', { ids }, options),
    view,
  }
}

function remoteView(ask: Ask, { view, sequence, counts }: HeldView): SoupView {
  const table = (name: 'objects' | 'entries'): DistantTable => ({
    async scan({ prefix, after, limit }, options) {
      const range = { view, table: name, prefix, limit, ...(after && { after: asBytes(after) }) }
      const { count, keys, values } = await ask('scan', range, options)
      return { count, keys, ...(values !== null && { values }) }
    },
    async children(prefix, options) {
      const found = await ask('children', { view, table: name, prefix }, options)
      return found.map((subtree) => subtree ?? undefined)
    },
    async differences(spans, options) {
      const marked = spans.map((span) => markSpan(view, span))
      const packed = await ask('differences', { view, table: name, spans: marked }, options)
      try {
        return unpackDifferences(packed, spans.length)
      } catch (error) {
        throw error instanceof FieldFault ? answerInvalid('differences', error.message, error) : error
      }
    },
    // The other place keeps what it computes itself, and takes no hashes from anybody.
    async keep() {},
  })
  return { sequence, counts, objects: table('objects'), entries: table('entries') }
}

function bytesOf<Range extends { readonly after?: Uint8Array; readonly limit: number }>({ after, limit }: Range) {
  return { limit, ...(after && { after: asBytes(after) }) }
}

function notOverTheWire(what: string): never {
  throw new VaultError<HttpErrorCode>({
    code: 'HTTP_REQUEST_INVALID',
    message: `A vault at another place cannot be asked for its ${what} over the wire. Do it where the vault is.`,
  })
}
