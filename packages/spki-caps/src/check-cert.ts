import type { KeyId } from '@vault/core'
import type { Upstream } from './above.ts'
import type { Circumstances } from './circumstances.ts'
import { standingOf } from './epoch.ts'
import { standingOfSet } from './freshness.ts'
import { isValidationCheck } from './online-test.ts'
import { isVault, principalText } from './principal.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { secondsOf } from './record.ts'
import type { Outcome } from './refusal.ts'
import { refuse, refuseSilence } from './refusal.ts'
import { hearingOf } from './signed-records.ts'
import type { Spoken } from './speak.ts'
import { speak } from './speak.ts'
import type { Refusal } from './trace.ts'
import type { Voices } from './voices.ts'
import { openedVoices } from './voices.ts'

// What can be said of a certificate by itself, or of it and of those from whom its issuer has what it grants.

export function checkValidity({ record }: OpenProofCert, now: Date): Outcome {
  const { notBefore, expires } = record
  const seconds = secondsOf(now)
  if (notBefore !== null && seconds < notBefore) {
    return refuse('CAPS_NOT_YET', `valid from ${timeText(notBefore)} on`, sides(notBefore, seconds))
  }
  if (expires !== null && seconds >= expires) {
    return refuse('CAPS_EXPIRED', `expired at ${timeText(expires)}`, sides(expires, seconds))
  }
  // Until when is in the step itself.
  return { note: expires === null ? 'for ever' : 'not expired' }
}

/** Whether keys of the epoch of a vault still count. */
export function checkEpoch({ id, record }: OpenProofCert, { keys }: Circumstances): Outcome {
  const { issuer, epoch, expires } = record
  if (!isVault(issuer) || epoch === null) return { note: 'not a vault' }
  const state = keys.state(issuer.vault.id)
  if (state === undefined) return refuse('CAPS_KEYS_UNKNOWN', `the keys of ${issuer.vault.id} are not known here`)
  const standing = standingOf(keys, state, { id, epoch, expires })
  const present = { have: `${state.seq}`, asked: `${epoch}` }
  switch (standing) {
    case 'unknown':
      return refuse('CAPS_EPOCH', `the vault has no key event ${epoch}`, present)
    case 'refused':
      return refuse(
        'CAPS_EPOCH',
        `the keys of event ${epoch} were replaced, and nothing proves when they signed`,
        present,
      )
    case 'unproven':
      return { note: `epoch ${epoch} of ${state.seq}, not known when it was signed`, unchecked: true }
    default:
      return { note: `epoch ${epoch} of ${state.seq}, ${standing}` }
  }
}

/** Whether it was revoked by its issuer, by someone in `upstream`, or by one that it names; and whether that is known. */
export function checkRevocation(
  { id, record }: OpenProofCert,
  { revocations, now }: Circumstances,
  upstream: Upstream,
): Outcome {
  const { issuer } = record
  const checks = record.type === 'cap' ? record.checks : []
  if (revocations === 'unchecked') {
    if (!checks.every(isValidationCheck)) {
      return refuse('CAPS_STALE', 'it holds only with a set of revocations, and none is looked at')
    }
    return { note: 'nobody looked', unchecked: true }
  }
  const may = (text: string) =>
    text === principalText(issuer) || upstream.has(text) || checks.some((check) => text === principalText(check.by))
  const by = revocations.revokers(id).find(may)
  if (by !== undefined) return refuse('CAPS_REVOKED', `revoked by ${by}`)
  const unread = revocations.unread?.[0]
  if (unread !== undefined) return refuse('CAPS_STALE', unread.message)
  for (const check of checks) {
    if (isValidationCheck(check)) continue
    const { fresh, note } = standingOfSet(revocations, principalText(check.by), check.maxAge, secondsOf(now))
    if (!fresh) return refuse('CAPS_STALE', note, { have: note, asked: `at most ${check.maxAge} s old` })
  }
  return { note: 'not revoked' }
}

/** Whether its issuer has signed it, with keys that were not revoked. */
export function checkSignature(
  cert: OpenProofCert,
  circumstances: Circumstances,
  upstream: Upstream,
): { readonly outcome: Outcome; readonly keys: readonly KeyId[] } {
  const { issuer } = cert.record
  const hearing = hearingOf(cert.record, openedVoices(cert, circumstances.memo), circumstances.keys)
  const { voices } = hearing
  const spoken = speak(issuer, { ...hearing, voices: unrevoked(voices, circumstances, upstream) })
  if (spoken.ok) return { outcome: { note: signersText(spoken.keys) }, keys: spoken.keys }
  const before = speak(issuer, hearing)
  const outcome = before.ok ? refuseKeys(before) : refuseSilence(issuer, spoken, 'CAPS_SIGNATURE')
  return { outcome, keys: [] }
}

/** Those of the voices whose keys were not revoked by themselves or by someone in `upstream`. */
export function unrevoked(voices: Voices, { revocations }: Circumstances, upstream: Upstream): Voices {
  if (revocations === 'unchecked') return voices
  const isRevoked = (key: KeyId) => revocations.revokers(key).some((text) => text === key || upstream.has(text))
  return { claimed: voices.claimed, has: (key) => voices.has(key) && !isRevoked(key) }
}

export function refuseKeys(spoken: Extract<Spoken, { readonly ok: true }>): Refusal {
  return refuse('CAPS_KEY_REVOKED', `signed with a revoked key, one of ${spoken.keys.join(', ')}`)
}

export function signersText(keys: readonly KeyId[]): string {
  return keys.length === 1 ? `signed by ${keys[0]}` : `signed by ${keys.length} distinct keys: ${keys.join(', ')}`
}

export function timeText(seconds: number): string {
  // Beyond the year 275760 there are seconds and no dates.
  return seconds <= 8_640_000_000_000
    ? `${new Date(seconds * 1000).toISOString().slice(0, -'.000Z'.length)}Z`
    : `second ${seconds}`
}

function sides(have: number, asked: number): { have: string; asked: string } {
  return { have: timeText(have), asked: timeText(asked) }
}
