/**
 * Whether a pattern stands for the whole text: `*` for any text, `?` for one character, everything else for itself.
 * Only the last `*` is ever tried again, so the steps are at most text × pattern: no pattern makes it exponential.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0
  let t = 0
  let star = -1
  let retry = 0
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++
      retry = t
    } else if (pattern[p] === '?') {
      t += unitsAt(text, t)
      p++
    } else if (p < pattern.length && pattern[p] === text[t]) {
      t++
      p++
    } else if (star !== -1) {
      // In the middle of a pair, nothing is found that was not found before it.
      t = ++retry
      p = star + 1
    } else return false
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

/** How many UTF-16 units the character takes that begins here. */
function unitsAt(text: string, index: number): number {
  return (text.codePointAt(index) as number) > 0xffff ? 2 : 1
}
