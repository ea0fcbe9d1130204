import type { Side } from '@vault/migration/http'
import { CALLS, REVERSE, REVERSE_PROTOCOL, VAULTS_PATH } from '@vault/migration/http'
import { STREAMS } from './streams.ts'

interface Described {
  readonly sides: readonly Side[]
  readonly summary: string
}

const FRAMES = {
  'application/vnd.vault.frames': {
    schema: {
      type: 'string',
      contentMediaType: 'application/vnd.vault.frames',
      description: 'Frames: formats/wire.md',
    },
  },
}
const REFUSED = { $ref: '#/components/responses/refused' }

/** What can be asked of a server, for people and their tools. Made of the tables by which it answers. */
export function openApi(): Readonly<Record<string, unknown>> {
  const named: readonly (readonly [string, Described])[] = [...Object.entries(CALLS), ...Object.entries(STREAMS)]
  const paths = named.flatMap(([name, { sides, summary }]) =>
    sides.map((side) => [`/vaults/{vault}/${side}/${name}`, { post: operation(`${side}-${name}`, summary) }] as const),
  )
  return {
    openapi: '3.1.0',
    info: {
      title: 'Vault server',
      version: '1',
      description:
        'TLS 1.3 with a certificate on both sides. Every request but the one for this document needs leave: `migrate` on the vault where the place is asked as a source, `write` where it is asked as a target, `read` where only the state of the vault is looked at; and `receive-part` beside it where parts come into an active vault; `move-away` beside `migrate` where the server is to move a vault to another one. It is given by lists of the server, or by certificates: those that lie in the vault here, and those that the client has shown with `present`, which needs no leave beforehand.',
    },
    paths: {
      '/openapi.json': {
        get: {
          operationId: 'openapi',
          summary: 'This document',
          responses: { 200: { description: 'The document', content: { 'application/json': {} } }, default: REFUSED },
        },
      },
      [VAULTS_PATH]: {
        post: operation('vaults', 'The vaults that the client may ask about, and what they are here', []),
      },
      ...Object.fromEntries(paths),
      [`/vaults/{vault}/source/${REVERSE}`]: {
        post: {
          operationId: `source-${REVERSE}`,
          summary: `Offers this connection, by which the server can ask the client then (Upgrade: ${REVERSE_PROTOCOL})`,
          parameters: [VAULT],
          responses: { 101: { description: 'It is the other way round from here' }, default: REFUSED },
        },
      },
    },
    components: {
      securitySchemes: { key: { type: 'mutualTLS', description: 'A certificate that the key of a place has signed' } },
      responses: {
        refused: {
          description: 'Refused: with a code that stays',
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['error'],
                properties: {
                  error: {
                    type: 'object',
                    required: ['code', 'message'],
                    properties: {
                      code: { type: 'string', pattern: '^[A-Z][A-Z0-9_]{0,63}$' },
                      message: { type: 'string' },
                      details: { type: 'object' },
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
    security: [{ key: [] }],
  }
}

const VAULT = { name: 'vault', in: 'path', required: true, schema: { type: 'string', pattern: '^b[a-z2-7]{58}$' } }

function operation(operationId: string, summary: string, parameters: readonly unknown[] = [VAULT]) {
  return {
    operationId,
    summary,
    parameters,
    requestBody: { required: true, content: FRAMES },
    responses: { 200: { description: 'The answer', content: FRAMES }, default: REFUSED },
  }
}
