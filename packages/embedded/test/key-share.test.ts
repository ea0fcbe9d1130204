import { readFile, writeFile } from 'node:fs/promises'
import { createSigner, encode, hashBytes, systemRandom, toHex } from '@vault/core'
import fc from 'fast-check'
import { combine } from 'shamir-secret-sharing'
import { describe, expect, test } from 'vitest'
import { encodeKeyShare, parseKeyShare, shareDigest, splitId } from '../src/key-share.ts'
import { recoverKey } from '../src/recover-key.ts'
import { splitKey } from '../src/split-key.ts'
import { scratch } from './scratch.ts'

function someKey(secret: Uint8Array = systemRandom(32)) {
  return { secret: new Uint8Array(secret), signer: createSigner(secret) }
}

/** The subsets of this size of the first numbers. */
function* subsets(count: number, size: number, from = 0): Generator<readonly number[]> {
  if (size === 0) yield []
  else for (let i = from; i <= count - size; i++) for (const rest of subsets(count, size - 1, i + 1)) yield [i, ...rest]
}

async function split(dir: string, shares: number, threshold: number, key = someKey()) {
  const { files, ...rest } = await splitKey(key, { name: 'k', shares, threshold, dir })
  return { key, files: files.map(({ file }) => file), ...rest }
}

test('so many shares give the key back, and one less never does', async () => {
  await using space = await scratch()
  const sizes = fc.integer({ min: 2, max: 5 }).chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 2, max: n })))
  await fc.assert(
    fc.asyncProperty(sizes, fc.uint8Array({ minLength: 32, maxLength: 32 }), async ([n, k], secret) => {
      const { key, files } = await split(space.at('shares'), n, k, someKey(secret))
      for (let size = k; size <= n; size++) {
        for (const chosen of subsets(n, size)) {
          const recovered = await recoverKey(chosen.toReversed().map((i) => files[i] as string))
          expect(recovered.secret).toEqual(key.secret)
        }
      }
      const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')))
      const shares = texts.map((text) => new Uint8Array(parseKeyShare(text, '').share))
      for (const chosen of subsets(n, k - 1)) {
        const given = chosen.map((i) => files[i] as string)
        if (given.length === 0) continue
        await expect(recoverKey(given)).rejects.toMatchObject({ code: 'KEY_SHARE_TOO_FEW' })
        // Nor to whoever does without our checks.
        if (given.length < 2) continue
        expect(await combine(chosen.map((i) => shares[i] as Uint8Array))).not.toEqual(key.secret)
      }
    }),
    { numRuns: 8 },
  )
})

describe('a share that cannot be used is refused by itself', () => {
  const refuse = async (files: readonly string[], code: string, file: string) =>
    await expect(recoverKey(files)).rejects.toMatchObject({ code, details: { file } })

  test('damaged, in any character', async () => {
    await using space = await scratch()
    const { files } = await split(space.at('shares'), 3, 2)
    const [first, second] = files as [string, string]
    const text = await readFile(first, 'utf8')
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 2), async (at) => {
        const other = text[at] === '1' ? '2' : '1'
        await writeFile(first, text.slice(0, at) + other + text.slice(at + 1))
        await refuse([first, second], 'KEY_SHARE_DAMAGED', first)
      }),
    )
    for (const bad of ['', 'null', '{}', text.slice(0, -20), text.replace('"v": 1', '"v": 2')]) {
      await writeFile(first, bad)
      await refuse([second, first], 'KEY_SHARE_DAMAGED', first)
    }
  })

  test('of another key, and of another splitting of the same key', async () => {
    await using space = await scratch()
    const one = await split(space.at('shares'), 3, 2)
    for (const other of [await split(space.at('shares'), 3, 2), await split(space.at('shares'), 3, 2, one.key)]) {
      const files = [one.files[0] as string, other.files[1] as string]
      await refuse(files, 'KEY_SHARE_FOREIGN', files[1] as string)
    }
  })

  test('given twice', async () => {
    await using space = await scratch()
    const { files } = await split(space.at('shares'), 3, 2)
    await writeFile(space.at('copy'), await readFile(files[0] as string))
    await refuse([files[0] as string, space.at('copy')], 'KEY_SHARE_DUPLICATE', space.at('copy'))
  })

  test('made up by a holder, with a checksum that fits', async () => {
    await using space = await scratch()
    const { files } = await split(space.at('shares'), 3, 2)
    const [first, second] = files as [string, string]
    const share = parseKeyShare(await readFile(first, 'utf8'), first)
    const forged = Uint8Array.from(share.share, (byte, i) => (i === 0 ? byte ^ 1 : byte))
    await writeFile(first, encodeKeyShare({ ...share, share: forged }))
    await refuse([first, second], 'KEY_SHARE_WRONG', first)
    // With a digest of its own it is of no splitting that others know.
    const digests = share.digests.with(0, shareDigest(forged))
    await writeFile(first, encodeKeyShare({ ...share, share: forged, digests }))
    await refuse([second, first], 'KEY_SHARE_WRONG', first)
    await writeFile(first, encodeKeyShare({ ...share, share: forged, digests, split: splitId({ ...share, digests }) }))
    await refuse([second, first], 'KEY_SHARE_FOREIGN', first)
  })

  test('and what was never of the key that it names', async () => {
    await using space = await scratch()
    const key = someKey()
    const { files } = await splitKey(
      { ...key, secret: new Uint8Array(systemRandom(32)) },
      {
        name: 'k',
        shares: 2,
        threshold: 2,
        dir: space.at('shares'),
      },
    )
    const given = files.map(({ file }) => file)
    await refuse(given, 'KEY_SHARE_WRONG', given[0] as string)
  })
})

test('the checksum is over the canonical form, as the format says', async () => {
  await using space = await scratch()
  const { files } = await split(space.at('shares'), 2, 2)
  const { checksum, ...content } = JSON.parse(await readFile(files[0] as string, 'utf8')) as Record<string, unknown>
  expect(toHex(hashBytes('sha2-256', encode(content)))).toBe(checksum)
})

test('numbers that cannot be, and holders that are none, are refused before anything is written', async () => {
  await using space = await scratch()
  const to = (shares: number, threshold: number, recipients?: readonly string[]) =>
    splitKey(someKey(), { name: 'k', shares, threshold, dir: space.at('x'), ...(recipients && { recipients }) })
  for (const [shares, threshold] of [
    [1, 1],
    [3, 1],
    [2, 3],
    [65, 2],
    [2.5, 2],
  ] as const)
    await expect(to(shares, threshold)).rejects.toThrow(RangeError)
  await expect(to(2, 2, ['age1x'])).rejects.toThrow(RangeError)
  await expect(to(2, 2, ['age1x', 'age1y'])).rejects.toMatchObject({ code: 'KEY_RECIPIENT_INVALID' })
  await expect(readFile(space.at('x'))).rejects.toMatchObject({ code: 'ENOENT' })
})
