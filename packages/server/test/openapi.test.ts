import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { contentId, systemClock, systemRandom } from '@vault/core'
import { createPeerCredentials } from '@vault/migration/http'
import { expect, test } from 'vitest'
import { openApi } from '../src/index.ts'
import { anyKey, scratch, serve } from './served.ts'

const VAULT = contentId(new Uint8Array())

test('the document is as it is written down, and has a name of its own for each request', async () => {
  const document = openApi()
  const written = await readFile(join(import.meta.dirname, '../openapi.json'), 'utf8')
  expect(JSON.parse(written)).toEqual(document)
  const operations = Object.values(document.paths as Record<string, Record<string, { readonly operationId: string }>>)
  const names = operations.flatMap((each) => Object.values(each).map(({ operationId }) => operationId))
  expect(new Set(names).size).toBe(names.length)
})

test('what it lists is what is answered, and nothing else', async () => {
  await using folder = await scratch()
  const key = anyKey()
  await using server = await serve(folder.at('a'), { allow: [key.key] })
  const credentials = await createPeerCredentials(key, { clock: systemClock, random: systemRandom })
  const ask = (method: string, path: string) =>
    new Promise<string>((resolve, reject) => {
      const sent = request(
        new URL(path, server.url),
        { method, rejectUnauthorized: false, ...credentials },
        async (answer) => {
          let text = ''
          for await (const chunk of answer.setEncoding('utf8')) text += chunk
          resolve(text)
        },
      )
      sent.on('error', reject).end()
    })
  expect(JSON.parse(await ask('GET', '/openapi.json'))).toEqual(openApi())
  const paths = Object.keys(openApi().paths as object).filter((path) => path.includes('{vault}'))
  for (const path of paths) {
    const { error } = JSON.parse(await ask('POST', path.replace('{vault}', VAULT)))
    // Known, and without a frame.
    expect(error.code, path).toBe('HTTP_REQUEST_INVALID')
    expect(error.message, path).not.toMatch(/is not asked for|nothing of this name/)
  }
  for (const path of [`/vaults/${VAULT}/source/intake`, `/vaults/${VAULT}/target/nothing`]) {
    expect(JSON.parse(await ask('POST', path)).error.message).toMatch(/is not asked for/)
  }
})
