import { existsSync, readFileSync } from 'node:fs'
import { utf8 } from '@vault/core'
import { fromHex } from './support.ts'

export interface Ed25519Case {
  readonly name: string
  readonly key: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
  /** The verdict of the strict rule, where the source of the case states one that is comparable. */
  readonly valid?: boolean
}

/** Public vectors, read where they lie beside the repository. */
const FOLDER = new URL('../../../../shared/vectors/ed25519/', import.meta.url)

export const PUBLIC_CASES = { cctv: 914, wycheproof: 151, speccheck: 12, zip215: 196 }

export function publicCases(name: keyof typeof PUBLIC_CASES): readonly Ed25519Case[] | undefined {
  const file = new URL(`${name}.json`, FOLDER)
  if (!existsSync(file)) return undefined
  return READERS[name](JSON.parse(readFileSync(file, 'utf8')))
}

// biome-ignore lint/suspicious/noExplicitAny: the shapes of four foreign files, each read in one place
const READERS: Record<keyof typeof PUBLIC_CASES, (file: any) => Ed25519Case[]> = {
  cctv: (file) =>
    file.map((test: { number: number; key: string; sig: string; msg: string; flags: string[] | null }) => ({
      name: `cctv ${test.number}`,
      key: fromHex(test.key),
      message: utf8(test.msg),
      signature: fromHex(test.sig),
      // The strict rule in the words of the flags; a component of low order beside a good one is accepted.
      valid: !test.flags?.some((flag) => REFUSED_FLAGS.includes(flag)),
    })),
  wycheproof: (file) =>
    file.testGroups.flatMap(
      (group: { publicKey: { pk: string }; tests: { tcId: number; msg: string; sig: string; result: string }[] }) =>
        group.tests.map((test) => ({
          name: `wycheproof ${test.tcId}`,
          key: fromHex(group.publicKey.pk),
          message: fromHex(test.msg),
          signature: fromHex(test.sig),
          valid: test.result === 'valid',
        })),
    ),
  speccheck: (file) =>
    file.map((test: { message: string; pub_key: string; signature: string }, i: number) => ({
      name: `speccheck ${i}`,
      key: fromHex(test.pub_key),
      message: fromHex(test.message),
      signature: fromHex(test.signature),
      valid: i === 3,
    })),
  zip215: (file) =>
    file.map((test: { vk_bytes: string; sig_bytes: string }, i: number) => ({
      name: `zip215 ${i}`,
      key: fromHex(test.vk_bytes),
      message: utf8('Zcash'),
      signature: fromHex(test.sig_bytes),
      valid: false,
    })),
}

const REFUSED_FLAGS = ['low_order_A', 'low_order_R', 'non_canonical_A', 'non_canonical_R', 'low_order_residue']
