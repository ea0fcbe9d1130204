import type { KeyId } from '@vault/core'
import { unrevoked } from './check-cert.ts'
import { operatorsOf } from './key-directory.ts'
import type { AuthorityView, HeldAuthority } from './list-authority.ts'
import { listAuthority } from './list-authority.ts'
import { covers } from './meet.ts'
import { issuingTexts, partTexts } from './principal.ts'
import type { Hearing } from './speak.ts'
import { speak } from './speak.ts'
import type { Tag } from './tag.ts'
import { knownVoices } from './voices.ts'

/** Who may do what is asked, each by the chains that grant all of it. Throws what {@link listAuthority} throws. */
export function whoCan(asked: Tag, view: AuthorityView): readonly HeldAuthority[] {
  return listAuthority(view).filter(({ tag }) => covers(tag, asked))
}

/** What somebody may do. */
export interface KeysAuthority {
  /** What these keys hold by themselves. */
  readonly alone: readonly HeldAuthority[]
  /** What one of them has a part in, with others who are not among them. */
  readonly together: readonly HeldAuthority[]
}

/** What these keys may do when all of them sign, and what they could if others did as well. Throws what {@link listAuthority} throws. */
export function whatCan(keys: Iterable<KeyId>, view: AuthorityView): KeysAuthority {
  const voices = knownVoices(keys)
  const hearing: Hearing = {
    voices: unrevoked(voices, view, new Set()),
    operators: (vault) => operatorsOf(view.keys, vault),
  }
  const own = new Set(voices.claimed.flatMap(issuingTexts))
  const alone: HeldAuthority[] = []
  const together: HeldAuthority[] = []
  for (const held of listAuthority(view)) {
    const { holder, shares } = held
    if (shares.length === 0 && speak(holder, hearing).ok) alone.push(held)
    else if (partsOf(holder, hearing).some((text) => own.has(text))) together.push(held)
  }
  return { alone, together }
}

/** All who can speak for a principal, alone or with others. */
function partsOf(holder: HeldAuthority['holder'], { operators }: Hearing): readonly string[] {
  const named = typeof holder === 'object' && 'vault' in holder ? operators(holder.vault.id)?.keys : undefined
  return named ?? partTexts(holder)
}
