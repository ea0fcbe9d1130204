import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../workspace.ts'

/** A file of test vectors: objects whose fields are text, mostly hexadecimal. */
export async function vectorsOf<Fields extends string>(
  path: string,
): Promise<readonly Readonly<Record<Fields, string>>[]> {
  return JSON.parse(await readFile(join(ROOT, 'vectors', path), 'utf8')) as Readonly<Record<Fields, string>>[]
}

export function unhex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'))
}
