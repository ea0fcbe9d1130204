import type { IncomingMessage } from 'node:http'
import type { VaultErrorDetails } from '@vault/core'
import { hasFields, VaultError } from '@vault/core'
import { isNoHost, speaksNoTls } from './connection-failure.ts'
import type { HttpErrorCode } from './http-error.ts'

const MAX_REFUSAL = 64 * 1024
/** Characters of a refusal that are shown. */
const MAX_SAID = 4_096

/** The status under which a refusal travels. */
export function statusOf(code: string): number {
  switch (code as HttpErrorCode) {
    case 'HTTP_PEER_CERTIFICATE':
      return 401
    case 'HTTP_NOT_ALLOWED':
      return 403
    case 'HTTP_REQUEST_INVALID':
      return 400
    case 'HTTP_LIMIT':
      return 429
    case 'HTTP_SESSION':
      return 410
    case 'HTTP_SERVER_FAILED':
      return 500
    default:
      return 409
  }
}

/** A refusal as it travels: JSON, so that any client can show it. */
export function refusalText({ code, message, details }: VaultError): string {
  return JSON.stringify({ error: { code, message, details } })
}

/** What another place says in the place of an answer. It may say anything, so only its form is relied on. */
export async function refusalOf(by: string, path: string, answer: IncomingMessage): Promise<VaultError> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of answer as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > MAX_REFUSAL) break
    chunks.push(chunk)
  }
  return (
    refusalIn(jsonIn(Buffer.concat(chunks).toString('utf8')), by) ??
    answerInvalid(path, `it is a status ${answer.statusCode} without a reason`)
  )
}

/** A refusal in the place of a value: the last frame of an answer that ends in the middle. */
export function refusalFrame(error: VaultError): unknown {
  return { error: refusalText(error) }
}

/** The refusal that a value is, if it is one. `by`: who says it. */
export function refusalIn(value: unknown, by: string): VaultError | undefined {
  if (!hasFields(value, 'error')) return undefined
  const stated =
    typeof value.error === 'string' ? (jsonIn(value.error) as { error?: unknown } | null)?.error : value.error
  if (typeof stated !== 'object' || stated === null) return undefined
  const { code, message, details } = stated as Partial<VaultErrorDetails>
  if (typeof code !== 'string' || !/^[A-Z][A-Z0-9_]{0,63}$/.test(code) || typeof message !== 'string') return undefined
  const parts = typeof details === 'object' && details !== null ? { details } : {}
  return new VaultError({ code, message: `${by} says: ${quoted(message)}`, ...parts })
}

/** What another place says, as one piece of one line between marks that it cannot close: nobody else is made to say any of it. */
function quoted(said: string): string {
  const shown = said.length > MAX_SAID ? `${said.slice(0, MAX_SAID)}…` : said
  return `“${shown.replaceAll(/[“”]/g, '"').replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')}”`
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What came is no answer to what was asked. */
export function answerInvalid(call: string, why: string, cause?: unknown): VaultError<HttpErrorCode> {
  return new VaultError({
    code: 'HTTP_ANSWER_INVALID',
    message: `The answer of the other place to ${call} cannot be used: ${why}. Both ends need versions that understand each other.`,
    details: { call },
    cause,
  })
}

/** Nobody answers, or nobody any more. `hostname`: none of a place that opens the connections itself. */
export function unreachable(
  { name, hostname }: { readonly name: string; readonly hostname: string | undefined },
  { cause, wasHeard }: { readonly cause: unknown; readonly wasHeard: boolean },
): VaultError<HttpErrorCode> {
  const why = cause instanceof Error ? cause.message : String(cause)
  const message = (() => {
    if (hostname === undefined)
      return `${name} opens no connections, by which alone it is reached: ${why}. Run there what was run, again.`
    if (speaksNoTls(cause))
      return `${name} answers, and not in TLS as a vault server does: check the address and the port.`
    if (wasHeard) return `${name} cannot be reached, or cuts every connection: ${why}. Run again when it is there.`
    if (isNoHost(cause)) return `No host is found by the name ${hostname}: check the address, and the network (${why}).`
    return `Nobody answers at ${name}: ${why}. Check the address and the port, and whether "vaultctl serve" runs there.`
  })()
  return new VaultError({
    code: 'HTTP_UNREACHABLE',
    message,
    details: { url: name, heard: wasHeard },
    cause,
  })
}
