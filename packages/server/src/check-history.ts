import type { ContentId } from '@vault/core'
import { decodeEnvelope, verifyKeyHistory } from '@vault/core'
import { refusal } from './refusal.ts'

/** Throws `HTTP_REQUEST_INVALID`, or what is wrong with them, unless these are the key events of the vault: a client may send any. */
export function checkHistory(vault: ContentId, keyEvents: readonly Uint8Array[]): void {
  const history = verifyKeyHistory(keyEvents.map((bytes) => decodeEnvelope(bytes)))
  if (history.vault === vault) return
  throw refusal('HTTP_REQUEST_INVALID', `The key events are those of the vault ${history.vault}, not of ${vault}.`)
}
