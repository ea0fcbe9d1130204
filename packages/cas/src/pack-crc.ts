/** Read where a Node is (5 GB/s there); this package also runs in browsers, so nothing is imported statically. */
const native: typeof tableCrc32 | undefined = globalThis.process?.getBuiltinModule?.('node:zlib')?.crc32

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1
  return crc
})

/** CRC-32 (IEEE 802.3, as zlib and gzip) by table, for platforms without a native one. */
export function tableCrc32(bytes: Uint8Array, value = 0): number {
  let crc = ~value
  for (let i = 0; i < bytes.length; i++) crc = (TABLE[(crc ^ (bytes[i] as number)) & 255] as number) ^ (crc >>> 8)
  return ~crc >>> 0
}

/** CRC-32 of `bytes`; with `value`, of what had that checksum followed by `bytes`. */
export const crc32: (bytes: Uint8Array, value?: number) => number = native ?? tableCrc32
