import type { IncomingMessage } from 'node:http'
import { type ContentId, isContentId } from '@vault/core'
import type { Side } from '@vault/migration/http'
import { refusal } from './refusal.ts'

/** What a path asks for. */
export interface Route {
  readonly vault: ContentId
  readonly side: Side
  readonly name: string
}

const PATH = /^\/vaults\/(b[a-z2-7]{58})\/(source|target|state)\/([a-z-]{1,32})$/

/** Throws `HTTP_REQUEST_INVALID`. */
export function routeOf({ method, url = '' }: IncomingMessage): Route {
  const [, vault = '', side, name = ''] = PATH.exec(url) ?? []
  if (method !== 'POST' || !isContentId(vault)) {
    throw refusal('HTTP_REQUEST_INVALID', 'There is nothing of this name here: see /openapi.json.')
  }
  return { vault, side: side as Side, name }
}
