/**
 * Writes a vault at a steady rate, and goes on at the new place when the vault has moved.
 *   node writer.ts FOLDER CHANGES_PER_SECOND ADDRESS=FOLDER…
 * Each line on stdout is a change that was acknowledged; it ends when its stdin does.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { writeBlocks } from '@vault/cas'
import { type ContentId, contentId, isVaultError, utf8 } from '@vault/core'
import { openVault, type Vault } from '@vault/embedded'

const NOTES_PER_CHANGE = 10
const [first = '', rate = '', ...routes] = process.argv.slice(2)
// The places of this example lie on one machine, so who is led to an address looks up the folder that is served there.
const folders = new Map(routes.map((route) => route.split('=') as [string, string]))

let stopped = false
process.stdin.resume().once('end', () => {
  stopped = true
})
let folder: string | undefined = first
while (folder !== undefined) folder = await writeAt(folder)

/** Writes until the vault has moved, and says where it is then; `undefined`: told to stop. */
async function writeAt(folder: string): Promise<string | undefined> {
  await using vault = await openVault(folder)
  const began = performance.now()
  for (let change = 1; !stopped; change++) {
    // What was late is made up for: the rate is that of people, who do not wait for one another.
    await sleep(Math.max(0, began + (change * 1000) / Number(rate) - performance.now()))
    const asked = performance.now()
    const ids = await write(vault, `${folder} ${change}`)
    if (typeof ids === 'string') return folders.get(ids)
    console.log(JSON.stringify({ folder, ids, ms: performance.now() - asked }))
  }
  return undefined
}

/** Writes some notes in one change, and gives what is acknowledged; or the address of the place that has the vault now. */
async function write(vault: Vault, name: string): Promise<readonly ContentId[] | string> {
  const blocks = Array.from({ length: NOTES_PER_CHANGE }, (_, i) => utf8(`note ${i} of ${name}`)).map((bytes) => ({
    id: contentId(bytes),
    bytes,
    size: bytes.length,
    links: [],
  }))
  while (true) {
    try {
      for await (const { ack, blocks: add } of writeBlocks(vault.place.objects, blocks))
        await vault.commit({ objects: { add }, expect: { segments: [ack.segment] } })
      return blocks.map(({ id }) => id)
    } catch (error) {
      // A refused change has changed nothing, so it may be made again: there, or here where a pause took too long and is given up.
      if (isVaultError(error, 'VAULT_MOVED')) return String(error.details?.address)
      if (!isVaultError(error, 'VAULT_READ_ONLY')) throw error
    }
  }
}
