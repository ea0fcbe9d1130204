import type { Finding } from '@vault/core'
import type { Damage } from '@vault/embedded'

/** A finding of damage as a line, with the files that need what is damaged. */
export function damageLine(damage: Damage): string {
  const names = damage.names.length > 0 ? ` It is, or is a part of: ${damage.names.join(', ')}.` : ''
  return `Damaged: ${about(damage)}${names}`
}

/** The message, begun with what it is about unless it says so itself. */
export function about({ message, subject }: Finding): string {
  return subject === undefined || message.includes(subject) ? message : `${subject}: ${message}`
}
