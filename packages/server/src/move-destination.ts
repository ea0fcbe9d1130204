import type { KeyId } from '@vault/core'
import { refusal } from './refusal.ts'

/** A place to which vaults may move from a server, because its operator has named it. */
export interface MoveDestination {
  /** `https://HOST:PORT`. None: a place that offers connections itself, by which it is reached. */
  readonly url?: string
  readonly key: KeyId
}

/** Addresses that mean one server are one. Throws `HTTP_REQUEST_INVALID`. */
export function normalDestination({ url, key }: MoveDestination): MoveDestination {
  if (url === undefined) return { key }
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol === 'https:' && parsed.pathname === '/') return { url: parsed.origin, key }
  throw refusal('HTTP_REQUEST_INVALID', 'A vault moves to an address https://HOST:PORT.')
}

/** What a place is called: by its address, or by its key where it has none. */
export function nameOf({ url, key }: MoveDestination): string {
  return url ?? key
}
