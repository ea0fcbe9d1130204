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

/** Who holds what, one line for each, and by which certificates in a second one. */
export function heldLines(
  held: readonly HeldAuthority[],
  { name, words }: { readonly name: PrincipalNames; readonly words: (tag: Tag) => string },
): readonly string[] {
  const rows = held.map(({ subject, shares, tag, expires, left, chain }) => ({
    who: `${name(subject)}${shares.length === 0 ? '' : `, as a part of ${shares.map(name).join(', ')}`}`,
    what: `${words(tag)}, ${untilWords(expires)}${left > 0 ? ', may be granted on' : ''}`,
    chain,
  }))
  const width = Math.min(40, Math.max(0, ...rows.map(({ who }) => who.length)))
  return rows.flatMap(({ who, what, chain }) => [
    `  ${who.padEnd(width)}  ${what}`,
    ...(chain.length === 0 ? [] : [`  ${''.padEnd(width)}  by ${chain.join(' → ')}`]),
  ])
}
