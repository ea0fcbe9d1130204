import type { ContentId } from '@vault/core'
import type { HeldAuthority, Tag } from '@vault/spki-caps'
import type { PrincipalNames } from './principal-names.ts'

/** What a tag grants on a vault, in words: `read, write on docs`. */
export async function grantWords(vault: ContentId): Promise<(tag: Tag) => string> {
  const { tagText, vaultGrantOf } = await import('@vault/spki-caps')
  return (tag) => {
    const grant = vaultGrantOf(tag)
    if (grant === undefined || grant.object !== vault) return tagText(tag)
    const { actions, path, limits } = grant
    const what = actions === '*' ? 'everything' : actions.join(', ')
    const where = path.length === 0 ? '' : ` on ${tagText({ path }).replace(/\/$/, '')}`
    return `${what}${where}${limits.map((limit) => ` ${tagText(limit)}`).join('')}`
  }
}

/** Until when, in words; seconds since 1970, or `null`. */
export function untilWords(expires: number | null): string {
  if (expires === null) return 'for ever'
  const date = new Date(expires * 1000)
  return Number.isNaN(date.getTime())
    ? `until second ${expires}`
    : `until ${date.toISOString().slice(0, 16).replace('T', ' ')}`
}

/** Of what something is only a share, and what it takes. */
export function shareWords({ shares, parts }: Pick<HeldAuthority, 'shares' | 'parts'>, name: PrincipalNames): string {
  const each = shares.map((threshold, i) => {
    const { needed = 1, member = threshold } = parts[i] ?? {}
    return `1 of ${needed} ${needed === 2 ? 'halves' : 'parts'} of ${name(threshold)}, by ${name(member)}`
  })
  return each.join('; ')
}

/** With how many others a share counts, in words. */
export function othersWords({ parts }: Pick<HeldAuthority, 'parts'>): string {
  const others = Math.max(...parts.map(({ needed }) => needed)) - 1
  return others <= 1 ? 'counts only with another one' : `counts only with ${others} others`
}

/** Who holds what, one line for each, and by which certificates in further ones. */
export function heldLines(
  held: readonly HeldAuthority[],
  {
    name,
    words,
    among = held,
  }: {
    readonly name: PrincipalNames
    readonly words: (tag: Tag) => string
    /** Where it stands which halves are enough together. */
    readonly among?: readonly HeldAuthority[]
  },
): readonly string[] {
  const whole = new Set(among.flatMap(({ halves = [] }) => halves.map((ids) => ids.join())))
  const rows = held.map(({ subject, shares, parts, tag, expires, left, chain, halves, more }) => ({
    who: name(subject),
    what: [
      `${words(tag)}, ${untilWords(expires)}`,
      ...(left > 0 ? ['may be granted on'] : []),
      ...(shares.length > 0
        ? [
            `${shareWords({ shares, parts }, name)}: ${whole.has(chain.join()) ? 'complete with others' : othersWords({ parts })}`,
          ]
        : []),
      ...(more ? ['and more was granted on than is looked at'] : []),
    ].join(', '),
    chains: halves ?? (chain.length === 0 ? [] : [chain]),
  }))
  const width = Math.min(40, Math.max(0, ...rows.map(({ who }) => who.length)))
  return rows.flatMap(({ who, what, chains }) => [
    `  ${who.padEnd(width)}  ${what}`,
    ...chains.map((ids, i) => `  ${''.padEnd(width)}  ${i === 0 ? 'by' : 'and'} ${ids.join(' → ')}`),
  ])
}
