import type { ContentId } from '@vault/core'
import type { Tag } from './tag.ts'
import type { Voices } from './voices.ts'

/** What is asked, and who has been heard asking it. */
export interface Question {
  /** Decides how fresh sets of revocations must be. */
  readonly action: string
  readonly tag: Tag
  readonly voices: Voices
  /** Of the request, where there is one. */
  readonly id?: ContentId
}
