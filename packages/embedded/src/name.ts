import { sep } from 'node:path'
import { utf8, VaultError } from '@vault/core'

/** The `code` of the errors about names. */
export type NameErrorCode = 'VAULT_NAME_INVALID'

/** A name is at most this many bytes of UTF-8, so that its entry's key fits. */
const MAX_NAME_LENGTH = 4000

/**
 * The name that a file gets in the vault: its path as given, without a leading `/`, `.` or `..`, and with `/` between
 * its parts. `../a/b` is `a/b`, `/a/b` is `a/b`, `./a//b` is `a/b`, `a/../b` is `b`; `.` is the empty name, under
 * which a folder's files keep their own. Throws `VAULT_NAME_INVALID`.
 */
export function nameFromPath(path: string): string {
  const parts: string[] = []
  for (const part of path.split(sep === '\\' ? /[\\/]/ : '/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  const name = parts.join('/')
  if (name !== '') checkName(name)
  return name
}

/** Throws `VAULT_NAME_INVALID` unless the text is a relative path that stays inside any folder it is written to. */
export function checkName(name: string): void {
  const fault = faultOf(name)
  if (fault === undefined) return
  throw new VaultError<NameErrorCode>({
    code: 'VAULT_NAME_INVALID',
    message: `${JSON.stringify(name.slice(0, 200))} cannot be the name of a file in a vault: ${fault}.`,
    details: { name: name.slice(0, 200) },
  })
}

function faultOf(name: string): string | undefined {
  if (!name.isWellFormed()) return 'it is not well-formed UTF-8'
  if (name.includes('\0')) return 'it has a NUL character'
  if (utf8(name).length > MAX_NAME_LENGTH) return `it is longer than ${MAX_NAME_LENGTH} bytes`
  for (const part of name.split('/')) {
    if (part === '') return 'it begins or ends with "/", has an empty part, or is empty'
    if (part === '.' || part === '..') return `it has a part ${JSON.stringify(part)}`
  }
  return undefined
}
