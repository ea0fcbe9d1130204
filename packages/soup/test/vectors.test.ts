import { readFileSync } from 'node:fs'
import { isVaultError, toHex } from '@vault/core'
import type { Entry } from '@vault/soup'
import { decodeEntry, encodeEntry, entryKey, entryValue, versionId } from '@vault/soup'
import { describe, expect, it } from 'vitest'

function vectors(name: string): readonly Record<string, unknown>[] {
  const file = new URL(`../../../vectors/entry/v1/${name}/entries.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8'), (_, value) =>
    value?.$bytes === undefined ? value : bytesOf(value.$bytes),
  )
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

describe('the vectors of entries', () => {
  it.each(vectors('valid'))('$label', ({ entry, bytes, entryKey: key, entryValue: value, versionId: id }) => {
    const encoded = encodeEntry(entry as Entry)
    expect(toHex(encoded)).toBe(bytes)
    expect(decodeEntry(bytesOf(bytes as string))).toEqual(entry)
    expect(toHex(entryKey((entry as Entry).key))).toBe(key)
    expect(toHex(entryValue(encoded))).toBe(value)
    expect(versionId(encoded)).toBe(id)
  })

  it.each(vectors('invalid'))('refuses $label', ({ bytes }) => {
    let caught: unknown
    try {
      decodeEntry(bytesOf(bytes as string))
    } catch (error) {
      caught = error
    }
    expect(isVaultError(caught, 'SOUP_INVALID')).toBe(true)
  })
})
