/** For an option that may be given several times. */
export function repeatable(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value]
}
