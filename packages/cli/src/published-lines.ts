import type { RevocationStanding } from '@vault/embedded'

/** That certificates count for less than is listed because the operators have not said lately what they revoked; nothing where they have. */
export function publishedLines(standing: RevocationStanding | undefined): readonly string[] {
  if (standing === undefined || standing.current) return []
  return [`${standing.message} Until they publish anew certificates are refused (CAPS_STALE): ${standing.advice}`]
}
