import type { AuthorityTrees, GrantNode, Tag } from '@vault/spki-caps'
import { othersWords, shareWords, untilWords } from './grant-text.ts'
import type { PrincipalNames } from './principal-names.ts'

/** How what stands in a tree is called. */
export interface TreeWords {
  readonly name: PrincipalNames
  readonly words: (tag: Tag) => string
}

const MORE = '… there may be more here than is looked at'

/** The trees as lines for a terminal: what does not count has ✗ and its reason, what only counts with the shares of others –. `ids`: whole ids instead of their ends. */
export function treeLines(
  { trees, loose, names }: AuthorityTrees,
  { name, words }: TreeWords,
  { ids = false }: { readonly ids?: boolean } = {},
): readonly string[] {
  const idOf = (id: string) => (ids ? id : `…${id.slice(-8)}`)
  const lineOf = (node: GrantNode): string => {
    const { kind, issuer, subject, tag, expires, delegate, certificate, refusal, shares, together, repeated } = node
    const called = kind === 'name' ? `, called ${name(issuer)},` : ''
    const what = `${name(subject)}${called}  ${words(tag)}`
    if (refusal !== undefined) return `✗ ${what}  ${refusal.code}: ${name(refusal.message)}  ${idOf(certificate)}`
    const further = [delegate ? ', may be granted on' : '', repeated ? ', which it has above as well' : ''].join('')
    if (shares.length > 0) {
      const whole = together === undefined ? othersWords(node) : `complete: together ${words(together)}`
      const mark = together === undefined ? '–' : '✓'
      return `${mark} ${what}, ${untilWords(expires)}, ${shareWords(node, name)}, ${whole}  ${idOf(certificate)}`
    }
    return `✓ ${what}, ${untilWords(expires)}${further}  ${idOf(certificate)}`
  }
  const linesOf = (nodes: readonly GrantNode[], indent: string): readonly string[] =>
    nodes.flatMap((node, i) => {
      const isLast = i === nodes.length - 1
      return [
        `${indent}${isLast ? '└─ ' : '├─ '}${lineOf(node)}`,
        ...(node.more ? [`${indent}${isLast ? '   ' : '│  '}${MORE}`] : []),
        ...linesOf(node.below, `${indent}${isLast ? '   ' : '│  '}`),
      ]
    })
  return [
    ...trees.flatMap(({ subject, tag, below }) => [`${name(subject)}  ${words(tag)}`, ...linesOf(below, '')]),
    ...(loose.length === 0 ? [] : ['By issuers to whom nothing was granted:']),
    ...loose.map(
      ({ issuer, subject, tag, certificate }) =>
        `   – ${name(issuer)} → ${name(subject)}  ${words(tag)}  ${idOf(certificate)}`,
    ),
    ...(names.length === 0 ? [] : ['Called by names to which nothing was granted:']),
    ...names.map(
      ({ issuer, subject, expires, certificate }) =>
        `   – ${name(subject)}, called ${name(issuer)}, ${untilWords(expires)}  ${idOf(certificate)}`,
    ),
  ]
}
