import type { Threshold } from './envelope.ts'
import type { KeyState } from './key-history.ts'
import type { KeyId } from './key-id.ts'
import { committedKeys } from './key-witnesses.ts'
import { isSameThreshold, keysNewIn } from './roles.ts'

/** Some of those who must sign a key event: so many of these keys. */
export interface KeyEventSigners extends Threshold {
  readonly why: /** The keys before say that these follow. */
    | 'identity-before'
    /** The keys that follow say that they do. */
    | 'identity'
    /** Each key that is new in a role proves that it is possessed. */
    | 'possession'
    /** The witnesses that the event before names. */
    | 'witness-before'
    /** The witnesses that it names itself. */
    | 'witness-after'
    /** Each witness who was none before. */
    | 'witness-new'
    /** The keys to which the event before has committed. */
    | 'commitment'
}

/** Who must sign the event that makes these keys of those before. A key that is asked for several times signs once. */
export function keyEventSigners(before: KeyState, after: KeyState): readonly KeyEventSigners[] {
  const { identity } = after.roles
  const { next } = before
  const known = before.witnesses.keys
  const asked: KeyEventSigners[] = [
    { why: 'identity-before', ...before.roles.identity },
    { why: 'identity', ...identity },
    { why: 'possession', ...all(keysNewIn(after.roles, before.roles)) },
    { why: 'witness-before', ...before.witnesses },
    { why: 'witness-after', ...after.witnesses },
    { why: 'witness-new', ...all(after.witnesses.keys.filter((key) => !known.includes(key))) },
  ]
  if (next !== null && !isSameThreshold(before.roles.identity, identity))
    asked.push({ why: 'commitment', keys: committedKeys(next, identity.keys), threshold: next.threshold })
  return asked.filter(({ threshold }) => threshold > 0)
}

function all(keys: readonly KeyId[]): Threshold {
  return { keys, threshold: keys.length }
}
