import type { AuthorityTrees, GrantNode } from '@vault/spki-caps'
import type { TreeWords } from './caps-tree-text.ts'
import { untilWords } from './grant-text.ts'

/** One arrow of a picture. */
interface Arrow {
  readonly from: number
  readonly to: number
  readonly label: string
  readonly kind: 'good' | 'part' | 'refused' | 'member'
}

/** The trees as a graph of those who grant to each other: each principal and each certificate once. */
interface Graph {
  /** What the principals are called, by their number. */
  readonly names: readonly string[]
  readonly arrows: readonly Arrow[]
}

const DOT_STYLES: Readonly<Record<Arrow['kind'], string>> = {
  good: '',
  part: ', style=dashed',
  refused: ', style=dashed, color=red, fontcolor=red',
  member: ', style=dotted',
}

/** A picture for Graphviz. */
export function dotOf(trees: AuthorityTrees, words: TreeWords): string {
  const { names, arrows } = graphOf(trees, words)
  const quoted = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
  return [
    'digraph authority {',
    '  node [shape=box, style=rounded, fontname="sans-serif"]',
    '  edge [fontname="sans-serif", fontsize=10]',
    ...names.map((name, i) => `  n${i} [label=${quoted(name)}]`),
    ...arrows.map(({ from, to, label, kind }) => `  n${from} -> n${to} [label=${quoted(label)}${DOT_STYLES[kind]}]`),
    '}',
  ].join('\n')
}

/** A picture for Mermaid, as Markdown viewers draw it. */
export function mermaidOf(trees: AuthorityTrees, words: TreeWords): string {
  const { names, arrows } = graphOf(trees, words)
  // Entities are the only escape that it knows.
  const quoted = (text: string) =>
    `"${text.replaceAll(/[^\p{L}\p{N} ,.:_\n-]/gu, (character) => `#${character.codePointAt(0)};`).replaceAll('\n', '<br>')}"`
  return [
    'flowchart TD',
    ...names.map((name, i) => `  n${i}[${quoted(name)}]`),
    ...arrows.map(
      ({ from, to, label, kind }) => `  n${from} ${kind === 'good' ? '-->' : '-.->'}|${quoted(label)}| n${to}`,
    ),
  ].join('\n')
}

function graphOf({ trees, loose }: AuthorityTrees, { name, words }: TreeWords): Graph {
  const numbers = new Map<string, number>()
  const arrows = new Map<string, Arrow>()
  const numberOf = (text: string): number => {
    const known = numbers.get(text)
    if (known !== undefined) return known
    numbers.set(text, numbers.size)
    return numbers.size - 1
  }
  type Drawn = Pick<GrantNode, 'kind' | 'certificate' | 'issuer' | 'subject' | 'tag' | 'expires'> &
    Partial<Pick<GrantNode, 'refusal' | 'parts' | 'together'>>
  const draw = (node: Drawn, code = node.refusal?.code): void => {
    const isGood = code === undefined
    const [from, to] = [numberOf(node.issuer), numberOf(node.subject)]
    const what = node.kind === 'name' ? 'called so' : words(node.tag)
    const needed = node.parts?.at(-1)?.needed
    const isPart = needed !== undefined && node.together === undefined
    const share =
      needed === undefined ? [] : [`1 of ${needed} ${needed === 2 ? 'halves' : 'parts'}${isPart ? '' : ', complete'}`]
    const label = [what, ...(isGood ? share : []), code ?? untilWords(node.expires)].join('\n')
    const kind = isGood ? (isPart ? 'part' : 'good') : 'refused'
    // One that counts anywhere counts.
    const known = arrows.get(node.certificate)?.kind
    if (known === undefined || kind === 'good' || (kind === 'part' && known === 'refused'))
      arrows.set(node.certificate, { from, to, label, kind })
  }
  const drawAll = (holder: string, nodes: readonly GrantNode[]): void => {
    const from = numberOf(holder)
    for (const node of nodes) {
      if (node.issuer !== holder) {
        const to = numberOf(node.issuer)
        arrows.set(`${from} ${to}`, { from, to, label: 'a member', kind: 'member' })
      }
      draw(node)
      drawAll(node.subject, node.below)
    }
  }
  for (const { subject, below } of trees) drawAll(subject, below)
  for (const node of loose) draw(node, 'CAPS_NO_CHAIN')
  return { names: [...numbers.keys()].map(name), arrows: [...arrows.values()] }
}
