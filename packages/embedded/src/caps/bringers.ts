import { type AbortOptions, type KeyId, utf8, type VaultId } from '@vault/core'
import { changeRecord, type Records } from '@vault/soup'

/** Remembers which key brings a vault to this place by a certificate. Durable when it resolves. */
export async function keepBringer(
  records: Records,
  { vault, key }: { readonly vault: VaultId; readonly key: KeyId },
  options: AbortOptions,
): Promise<void> {
  if (await isBringer(records, { vault, key }, options)) return
  await changeRecord(records, keyOf(vault), () => utf8(key), options)
}

/** Whether it was this key that brought it last. */
export async function isBringer(
  records: Records,
  { vault, key }: { readonly vault: VaultId; readonly key: KeyId },
  options: AbortOptions,
): Promise<boolean> {
  const record = await records.read(keyOf(vault), options)
  return record !== undefined && new TextDecoder().decode(record.bytes) === key
}

function keyOf(vault: VaultId): string {
  return `brought-by/${vault}`
}
