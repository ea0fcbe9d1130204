import type { KeyId } from '@vault/core'
import { serve } from '../../packages/cli/test/serving.ts'
import { stateEnvironment } from './run-program.ts'

/** A server in a process that may be killed. It is gone when it is let go. */
export interface LastingServer extends AsyncDisposable {
  readonly url: string
  readonly key: KeyId
  readonly port: number
  /** Kills it, and lets it begin anew at the same address. */
  kill(): Promise<void>
  /** Ends it as its operator does. Throws where it did not end well, or has failed at anything. */
  end(): Promise<void>
}

/** Serves a place; `folder`: where it keeps its marks, `under`: a command that starts it. */
export async function lastingServer(
  dir: string,
  options: readonly string[],
  { folder, under = [] }: { readonly folder: string; readonly under?: readonly string[] },
): Promise<LastingServer> {
  const parts = { env: stateEnvironment(folder), under }
  let served = await serve(dir, options, parts)
  const { url, key } = served
  const port = Number(new URL(url).port)
  return {
    url,
    key,
    port,
    async kill() {
      await served.stop('SIGKILL')
      served = await serve(dir, options, { ...parts, port })
    },
    async end() {
      const code = await served.stop('SIGTERM')
      const said = served.said()
      if (code !== 0 || said.includes('Failed:')) throw new Error(`a server ended with ${code}: ${said}`)
    },
    [Symbol.asyncDispose]: async () => void (await served.stop('SIGKILL')),
  }
}
