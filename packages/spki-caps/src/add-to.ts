/** Adds to what a map has under a key, which may be nothing yet. */
export function addTo<K, T>(map: Map<K, T[]>, key: K, item: T): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, [item])
  else known.push(item)
}
