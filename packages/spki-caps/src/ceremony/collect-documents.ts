import type { Finding, KeyId } from '@vault/core'
import { equalBytes } from '@vault/core'
import type { Opened } from '../record.ts'
import type { CeremonyFile, DocumentKind } from './ceremony-file.ts'
import { fileNameOf, kindOf } from './ceremony-file.ts'
import { FileRefusal } from './error.ts'

/** The one that counts of several different documents of one member; `undefined` where none does. */
export type Choose<T> = (several: readonly Opened<T>[]) => Opened<T> | undefined

/** The documents of one kind that count, by the key of their member. What is refused is added to the findings. */
export function collectDocuments<T extends { readonly key: KeyId }>(
  files: readonly CeremonyFile[],
  how: { readonly kind: DocumentKind; readonly read: (bytes: Uint8Array) => Opened<T>; readonly choose: Choose<T> },
  findings: Finding[],
): ReadonlyMap<KeyId, Opened<T>> {
  const { kind, read, choose } = how
  const claims = new Map<KeyId, { readonly file: CeremonyFile; readonly opened: Opened<T> }[]>()
  for (const file of files.filter(({ name }) => kindOf(name) === kind)) {
    const opened = attemptFile(file, () => read(file.bytes), findings)
    if (opened === undefined) continue
    claims.set(opened.record.key, [...(claims.get(opened.record.key) ?? []), { file, opened }])
  }
  const counted = new Map<KeyId, Opened<T>>()
  for (const [key, all] of claims) {
    const [first] = all
    if (first === undefined) continue
    const isTwice = all.some(({ file }) => !equalBytes(file.bytes, first.file.bytes))
    const chosen = isTwice ? choose(all.map(({ opened }) => opened)) : first.opened
    if (chosen !== undefined) counted.set(key, chosen)
    for (const { file, opened } of all) {
      if (opened.id !== chosen?.id) findings.push(twice(key, chosen !== undefined).finding(file.name))
      else if (file.name !== fileNameOf(kind, key)) findings.push(misnamed(kind, key).finding(file.name))
    }
  }
  return counted
}

/** What is read from a file; `undefined` with a finding where it is refused. */
export function attemptFile<T>(file: CeremonyFile, read: () => T, findings: Finding[]): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof FileRefusal)) throw error
    findings.push(error.finding(file.name))
    return undefined
  }
}

function twice(key: KeyId, another: boolean): FileRefusal {
  const which = another ? 'another one counts, and this one does not' : 'none counts'
  return new FileRefusal('CEREMONY_TWICE', `${key} has made several, which is evidence against its holder; ${which}`)
}

function misnamed(kind: DocumentKind, key: KeyId): FileRefusal {
  const name = fileNameOf(kind, key)
  return new FileRefusal('CEREMONY_FILE_NAME', `it is the document of ${key}, whose file is ${name}`)
}
