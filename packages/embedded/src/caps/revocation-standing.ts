import { type AbortOptions, VaultError } from '@vault/core'
import { denied, principalText, type Verdict, vaultPrincipal } from '@vault/spki-caps'
import { heldKeys } from '../keystore.ts'
import type { VaultCaps } from './vault-caps.ts'

/** How the last word of a vault on what it has revoked stands: once it was said, whoever acts by certificates needs it. */
export interface RevocationStanding {
  /** Whether everything that certificates grant may be done; where not, only what may go by an older word, or nothing. */
  readonly current: boolean
  /** For people. */
  readonly message: string
  /** When the last word that counts ends, or has ended. */
  readonly until?: Date
  /** The command that says it anew. */
  readonly advice: string
}

/** `undefined` where a vault has never said which revocations there are. */
export async function revocationStanding(
  caps: VaultCaps,
  options: AbortOptions = {},
): Promise<RevocationStanding | undefined> {
  const { vault, clock } = caps.parts
  const { sets, view } = await caps.revocations(options)
  if (sets.size === 0) return undefined
  const now = Math.floor(clock().getTime() / 1000)
  const by = principalText(vaultPrincipal(vault))
  const last = view.latest(by, now)
  const advice = await publishAdvice(caps, options)
  if (last === undefined) {
    const why = view.outdated?.has(by)
      ? 'was signed by operators who were replaced since, so it does not count any more'
      : 'does not count'
    return { current: false, message: `What the operators published last of their revocations ${why}.`, advice }
  }
  const until = new Date(last.next * 1000)
  const current = last.from <= now && now < last.next
  const ended = current ? 'counts until' : last.from > now ? 'begins later, and counts until' : 'ended at'
  const message = `What the operators published last of their revocations ${ended} ${until.toISOString()}.`
  return { current, message, until, advice }
}

/** The command by which the operators say anew what they revoked, with so many names as it takes where their keys are not in the place. */
export async function publishAdvice(caps: VaultCaps, options: AbortOptions): Promise<string> {
  const { dir } = caps.parts.place
  const { operators } = (await caps.keys(options)).roles
  const held = await heldKeys({ dir, role: 'operators', keys: operators.keys })
  const names = held.length >= operators.threshold ? '' : ' --as NAME'.repeat(operators.threshold)
  return `vaultctl caps publish ${dir}${names}`
}

/** Whether a verdict refuses only for want of a fresh word on what was revoked: then the operators publish. */
export function isUnsaid(verdict: Verdict): boolean {
  const [root] = verdict.trace
  return root?.kind === 'root' && root.refusal?.code === 'CAPS_STALE'
}

/** The error of `denied`, with what to do where it is refused for want of a fresh word on revocations. */
export async function deniedHere(
  caps: VaultCaps,
  asked: { readonly action: string; readonly object: string },
  verdict: Extract<Verdict, { readonly ok: false }>,
  options: AbortOptions,
): Promise<VaultError> {
  const error = denied(asked.action, asked.object, verdict)
  if (!isUnsaid(verdict)) return error
  const { code, message, details } = error
  const advice = await publishAdvice(caps, options)
  const said = `${message} Let the operators of the vault say anew what they revoked: ${advice}`
  return new VaultError({ code, message: said, details: { ...details, advice } })
}
