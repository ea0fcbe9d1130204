import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { scratch } from './harness.ts'

const PROGRAM = `
  import { serve } from ${JSON.stringify(import.meta.resolve('./serving.ts'))}
  const { url, pid } = await serve(process.argv[1], [])
  console.log(JSON.stringify({ url, pid }))
  setInterval(() => {}, 1_000)`

test('a server that a test has started is gone when its process is killed', async () => {
  await using space = await scratch()
  const args = ['--input-type=module', '--eval', PROGRAM, space.at('A')]
  const starter = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: space.dir },
  })
  const [line] = await once(starter.stdout, 'data')
  const { url } = JSON.parse(String(line)) as { readonly url: string }
  expect(await listens(url)).toBe(true)
  starter.kill('SIGKILL')
  for (let waits = 0; (await listens(url)) && waits < 1_000; waits++) await sleep(10)
  expect(await listens(url)).toBe(false)
})

/** Whether somebody takes connections there. */
async function listens(url: string): Promise<boolean> {
  const error = await fetch(url).then(
    () => undefined,
    (thrown: Error) => thrown.cause as NodeJS.ErrnoException,
  )
  return error?.code !== 'ECONNREFUSED'
}
