/** Three grants in a row and a request by whom the last one is for, as one system has them. */
export interface Chain {
  /** The grants, as they are shown to whoever is asked. */
  readonly grants: readonly Uint8Array[]
  /** Bytes of the grants with the request. */
  readonly withRequest: number
  /** Judges everything from its bytes, with every signature. Throws where it is refused, as the others do. */
  readonly cold: () => unknown
  /** The same with the signatures of the grants remembered; absent where no request is signed besides. */
  readonly warm?: () => unknown
  /** Judges what is read and was verified, for one request. */
  readonly judged: () => unknown
  /** What it has to refuse before a figure of it means anything, by what is wrong. */
  readonly refused: ReadonlyMap<string, () => unknown>
}

/** Bytes of all of them. */
export function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0)
}

/** The same bytes with one bit changed, in every seventh of them: in each signature, and in all that is signed. */
export function changesOf(bytes: Uint8Array): readonly (readonly [what: string, changed: Uint8Array])[] {
  return Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => {
    const changed = Uint8Array.from(bytes)
    changed[i * 7] = (changed[i * 7] as number) ^ 1
    return [`byte ${i * 7} changed`, changed]
  })
}

/** Throws where a chain does not hold, or holds with something wrong in it. */
export async function checkChain(name: string, chain: Chain): Promise<void> {
  for (const run of [chain.cold, chain.warm, chain.judged]) await run?.()
  for (const [what, run] of chain.refused) {
    const isRefused = await (async () => await run())().then(
      () => false,
      () => true,
    )
    if (!isRefused) throw new Error(`${name} takes a chain with ${what}, so its figures mean nothing`)
  }
}
