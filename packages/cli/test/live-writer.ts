import { setTimeout as sleep } from 'node:timers/promises'
import { isVaultError, utf8 } from '@vault/core'
import { openVault } from '@vault/embedded'

// A process that writes a vault until it has moved. Each change is a line on stdout when it is acknowledged, and the last line says how it ended.
//   node live-writer.ts DIR NAME MS_BETWEEN

const [dir = '', name = '', between = '0'] = process.argv.slice(2)
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

await using vault = await openVault(dir)
let slowest = 0
for (let n = 0; ; n++) {
  const key = `${name}-${n}`
  const began = performance.now()
  try {
    say({ key, id: await vault.put(utf8(`content of ${key}`), { key }) })
  } catch (error) {
    if (!isVaultError(error)) throw error
    say({ end: error.code, address: error.details?.address, slowest })
    break
  } finally {
    slowest = Math.max(slowest, performance.now() - began)
  }
  await sleep(Number(between))
}
