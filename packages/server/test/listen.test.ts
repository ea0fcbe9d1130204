import { stat } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { checkAddress } from '../src/index.ts'
import { scratch, serve } from './served.ts'

test('an address at which nothing can listen is refused with a code, before a place is made', async () => {
  await using folder = await scratch()
  await using first = await serve(folder.at('a'), {})
  const port = Number(new URL(first.url).port)
  await expect(serve(folder.at('b'), { port })).rejects.toMatchObject({
    code: 'SERVER_CANNOT_LISTEN',
    details: { host: '127.0.0.1', port, errno: 'EADDRINUSE' },
  })
  await expect(stat(folder.at('b'))).rejects.toMatchObject({ code: 'ENOENT' })
  // An address that is kept for documentation: RFC 5737.
  await expect(checkAddress({ host: '192.0.2.1', port: 0 })).rejects.toMatchObject({
    code: 'SERVER_CANNOT_LISTEN',
    details: { errno: 'EADDRNOTAVAIL' },
  })
  await checkAddress({ host: '127.0.0.1', port: 0 })
  for (const wrong of [-1, 65_536, 1.5])
    await expect(serve(folder.at('b'), { port: wrong })).rejects.toThrow(RangeError)
})
