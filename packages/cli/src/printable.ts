/** Characters that move the cursor, hide text or turn its direction. */
const UNPRINTABLE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu

/** A name as it may be shown on a terminal: what could deceive is written as an escape. */
export function printable(name: string): string {
  return name.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
