// Slow clients in a process of their own, which gives way to those who are measured: `slow-clients.ts`.
import { setPriority } from 'node:os'
import { beSlow, type Slowness, type SlowTarget } from './slow-client.ts'

/** What such a process is told: whom to keep busy, and with how many of each kind at a time. */
export interface Harassment {
  readonly target: SlowTarget
  readonly counts: Readonly<Record<Slowness, number>>
}

/** What it says of each that was let go. */
export interface LetGo {
  readonly how: Slowness
  /** Milliseconds. */
  readonly lasted: number
}

setPriority(19)
process.once('message', ({ target, counts }: Harassment) => {
  const again = async (how: Slowness) => {
    while (true) {
      const lasted = await beSlow(how, target)
      process.send?.({ how, lasted } satisfies LetGo)
    }
  }
  for (const [how, count] of Object.entries(counts)) for (let i = 0; i < count; i++) void again(how as Slowness)
})
