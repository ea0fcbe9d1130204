import type { CapsFindingCode } from './finding-code.ts'
import type { Principal } from './principal.ts'
import { isName, isThreshold, isVault, principalText } from './principal.ts'
import type { Spoken } from './speak.ts'
import type { Check, CheckName, Refusal } from './trace.ts'

/** What a check found: a note, or the reason why nothing after it is looked at. */
export type Outcome = { readonly note: string; readonly unchecked?: true } | Refusal

/** One thing to look at. */
export type Look = readonly [name: CheckName, look: () => Outcome]

/** Looks at one thing after the other, up to the first that is wrong. */
export function lookAt(looks: readonly Look[]): { readonly checks: readonly Check[]; readonly refusal?: Refusal } {
  const checks: Check[] = []
  for (const [name, look] of looks) {
    const outcome = look()
    if ('code' in outcome) {
      checks.push({ name, state: 'failed', note: outcome.message })
      const rest = looks
        .slice(checks.length)
        .map(([later]) => ({ name: later, state: 'unchecked' as const, note: 'not reached' }))
      return { checks: [...checks, ...rest], refusal: outcome }
    }
    checks.push({ name, state: outcome.unchecked === true ? 'unchecked' : 'passed', note: outcome.note })
  }
  return { checks }
}

export function refuse(code: CapsFindingCode, message: string, sides: { have?: string; asked?: string } = {}): Refusal {
  return { code, message, ...sides }
}

/** Why a principal has not spoken. `silent`: the code where it is one key that has not. */
export function refuseSilence(
  principal: Principal,
  spoken: Extract<Spoken, { readonly ok: false }>,
  silent: 'CAPS_SIGNATURE' | 'CAPS_NOT_SIGNER',
): Refusal {
  const sides = { have: `${spoken.have}`, asked: `${spoken.need}` }
  switch (spoken.why) {
    case 'unknown-vault':
      return refuse('CAPS_KEYS_UNKNOWN', 'the keys of the vault are not known here')
    case 'repeated':
      return refuse('CAPS_NOT_DISTINCT', `${spoken.have} of ${spoken.need} distinct members; some signed twice`, sides)
    case 'few':
      if (isThreshold(principal) || (isVault(principal) && spoken.need > 1)) {
        return refuse('CAPS_BELOW_THRESHOLD', `${spoken.have} of ${spoken.need} members`, sides)
      }
      return refuse(silent, 'no good signature')
    case 'silent':
      if (isName(principal))
        return refuse(silent, 'nobody who asks is shown to be called so', { asked: principalText(principal) })
      return refuse(silent, 'no good signature')
  }
}
