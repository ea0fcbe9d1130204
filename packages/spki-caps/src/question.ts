import type { ContentId } from '@vault/core'
import type { Way } from './speak.ts'
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

/** A question, or what somebody would be granted if he asked. */
export interface Asked extends Omit<Question, 'action'> {
  /** Absent: how fresh sets of revocations are is not looked at. */
  readonly action?: string
  /** The ways of those, by their texts, who are taken to ask as well, whoever that is. */
  readonly spoken?: ReadonlyMap<string, readonly Way[]>
}
