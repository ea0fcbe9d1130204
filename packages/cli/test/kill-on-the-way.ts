import { expect } from 'vitest'
import { run, type Started } from './harness.ts'

/**
 * Runs a command again and again until it ends well, and kills somebody when it says that a step begins: by turns, as far as the list goes. Who is
 * not the command itself is begun anew at once: the command has patience, and asks again by itself. Gives how many were killed.
 */
export async function killOnTheWay<Whom extends string>(
  command: () => readonly string[],
  kills: readonly (readonly [effect: string, whom: Whom | 'command'])[],
  killAndBegin: Readonly<Record<Whom, () => Promise<void>>>,
): Promise<number> {
  let done = 0
  for (let runs = 0, code: number | null = null; code !== 0; runs++) {
    expect(runs).toBeLessThan(12)
    let stopped: Promise<unknown> = Promise.resolve()
    const started = (child: Started) => {
      let seen = ''
      child.stderr.on('data', (text) => {
        seen += text
        const [effect, whom] = kills[done] ?? []
        if (effect === undefined || whom === undefined || !seen.includes(`${effect} `)) return
        seen = ''
        done++
        if (whom === 'command') return void child.kill('SIGKILL')
        stopped = stopped.then(killAndBegin[whom as Whom])
      })
    }
    const ended = await run('vault-migrate', command(), { started })
    await stopped
    code = ended.code
    expect([null, 4, 0], ended.stderr).toContain(code)
  }
  return done
}
