import {
  AuthorizerBuilder,
  authorizer,
  Biscuit,
  biscuit,
  block,
  KeyPair,
  PrivateKey,
  SignatureAlgorithm,
} from '@biscuit-auth/biscuit-wasm'
import { type Chain, changesOf } from './chain.ts'

// Its own limit is 20 ms, which the first run exceeds on a busy machine.
const LIMITS = { max_time_micro: 10_000_000 }

/**
 * A Biscuit of an authority block and three that narrow it, the last to one request: four signatures, as a chain of three certificates with
 * a request has, but each by a key that was made for it, so that it belongs to whoever has it and says nobody's name.
 */
export function biscuitChain([secret]: readonly Uint8Array[], vault: string, now: Date): Chain {
  const key = PrivateKey.fromBytes(secret as Uint8Array, SignatureAlgorithm.Ed25519)
  const root = KeyPair.fromPrivateKey(key).getPublicKey()
  const [soon, expires] = [60, 24 * 60 * 60].map((seconds) => new Date(now.getTime() + seconds * 1000))
  const narrowed = () =>
    block`check if vault(${vault}), action($a), ["migrate", "read", "write"].contains($a); check if time($t), $t < ${expires};`
  const granted =
    biscuit`right(${vault}, "migrate"); right(${vault}, "read"); right(${vault}, "write"); check if time($t), $t < ${expires};`
      .build(key)
      .appendBlock(narrowed())
      .appendBlock(narrowed())
  const bytes = granted
    .appendBlock(block`check if vault(${vault}), action("migrate"); check if time($t), $t < ${soon};`)
    .toBytes()

  const asked = (action: string, of: string, at: Date): AuthorizerBuilder =>
    authorizer`time(${at}); action(${action}); vault(${of}); allow if vault($v), action($a), right($v, $a);` as AuthorizerBuilder
  const rules = asked('migrate', vault, now)
  const judge = (token: Biscuit, by = rules): void => {
    // A builder is used up: what was parsed is merged into a new one.
    const builder = new AuthorizerBuilder()
    builder.merge(by)
    const judging = builder.buildAuthenticated(token)
    judging.authorizeWithLimits(LIMITS)
    judging.free()
  }
  const fromBytes = (shown: Uint8Array, by = rules): void => {
    const token = Biscuit.fromBytes(shown, root)
    judge(token, by)
    token.free()
  }
  const read = Biscuit.fromBytes(bytes, root)
  return {
    grants: [granted.toBytes()],
    withRequest: bytes.length,
    cold: () => fromBytes(bytes),
    judged: () => judge(read),
    refused: new Map<string, () => unknown>([
      ...changesOf(bytes).map(([what, changed]) => [what, () => fromBytes(changed)] as const),
      ['another action', () => fromBytes(bytes, asked('read', vault, now))],
      ['another vault', () => fromBytes(bytes, asked('migrate', 'another', now))],
      ['expired', () => fromBytes(bytes, asked('migrate', vault, new Date(now.getTime() + 61_000)))],
    ]),
  }
}
