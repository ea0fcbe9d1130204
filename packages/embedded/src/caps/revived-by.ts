import { type AbortOptions, type ContentId, type Envelope, isVaultError } from '@vault/core'
import { type AuthorityTrees, authorityTrees, type GrantNode, openProofCert } from '@vault/spki-caps'
import { CAP_PREFIX } from './cap-entry.ts'
import type { VaultCaps } from './vault-caps.ts'

// All of them are looked at twice: with more, nobody waits for that.
const MOST_LOOKED_AT = 1_024

/**
 * The other certificates that count with a new one and do not without it: what its subject, or those after it, had granted on before by
 * something that was taken back or ended. Nothing where a vault has more than 1,024 certificates: then that is not looked at.
 */
export async function revivedBy(
  caps: VaultCaps,
  certificate: Envelope,
  options: AbortOptions,
): Promise<readonly ContentId[]> {
  if ((await caps.parts.soup.count(CAP_PREFIX, options)) > MOST_LOOKED_AT) return []
  const view = await caps.view({ ...options, place: true })
  const { id: own } = openProofCert(certificate)
  try {
    const before = counting(authorityTrees(view))
    const after = counting(authorityTrees({ ...view, certificates: [...view.certificates, certificate] }))
    return [...after].filter((id) => id !== own && !before.has(id))
  } catch (error) {
    if (isVaultError(error, 'CAPS_LIMIT')) return []
    throw error
  }
}

function counting({ trees }: AuthorityTrees): ReadonlySet<ContentId> {
  const below = (nodes: readonly GrantNode[]): readonly ContentId[] =>
    nodes.flatMap((node) => [...(node.refusal === undefined ? [node.certificate] : []), ...below(node.below)])
  return new Set(trees.flatMap((tree) => below(tree.below)))
}
