// A server with limits of its own, in a process that serves until it is killed: `slow-clients.ts`.
//   node serve-process.ts DIR LIMITS KEY…
import { writeSync } from 'node:fs'
import { type KeyId, parseKeyId } from '@vault/core'
import { allowedKeys, type ServerLimits, startServer } from '@vault/server'

const [dir = '', limits = '{}', ...keys] = process.argv.slice(2)
const authorize = allowedKeys(keys.map((key): KeyId => parseKeyId(key)))
const failed = (error: unknown) => void writeSync(2, `Failed: ${error instanceof Error ? error.stack : error}\n`)
const { url, key } = await startServer({ dir, authorize, failed, limits: JSON.parse(limits) as Partial<ServerLimits> })
writeSync(1, `${JSON.stringify({ url, key })}\n`)
