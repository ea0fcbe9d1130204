import type { KeyId } from '@vault/core'
import type { Ceremony } from '@vault/spki-caps/ceremony'

/** A ceremony as the result of a command with `--json`. */
export function ceremonyResult(ceremony: Ceremony): Readonly<Record<string, unknown>> {
  const { id, plan, event, phase, commit, owed, findings, contributions, receipts, attestations } = ceremony
  const named = (keys: Iterable<KeyId>) =>
    [...keys].map((key) => ({ key, name: plan.members.find((member) => member.key === key)?.name }))
  return {
    ceremony: id,
    phase,
    ...(event !== undefined && { vault: event.vault, why: plan.change?.why, sequence: event.seq }),
    expires: new Date(plan.expires * 1000).toISOString(),
    contributions: named(contributions.keys()),
    receipts: named(receipts.keys()),
    attestations: named(attestations.keys()),
    ...(commit !== undefined && { transcript: commit.id }),
    owed: owed.map(({ what, why, needed, keys }) => ({ what, why, needed, of: named(keys) })),
    findings,
  }
}
