import type { NameCert, NameCertDraft } from '../name-cert.ts'
import { isName } from '../principal.ts'
import type { Sexp } from './sexp.ts'
import { invalidSexp, sexp } from './sexp.ts'
import {
  boundsOf,
  fieldsOf,
  only,
  principalFromSexp,
  principalToSexp,
  type SpkiNames,
  validityOf,
} from './spki-cert.ts'

/**
 * Reads `(cert (issuer (name ana staff)) (subject …) (valid (not-after "2026-02-01")))`, the name certificate of RFC 2693, with those who stand in
 * it by names. What it says is not signed by it. Throws `CAPS_SEXP_INVALID`.
 */
export function readNameCert(value: Sexp, names: Pick<SpkiNames, 'principal'>): Omit<NameCertDraft, 'nonce'> {
  const fields = fieldsOf(value, 'cert')
  const unknown = [...fields.keys()].find((name) => !['issuer', 'subject', 'valid'].includes(name))
  if (unknown !== undefined) throw invalidSexp(`the field ${unknown} is unknown`)
  const issuer = principalFromSexp(only(fields.get('issuer'), 'issuer'), names)
  const [name, ...others] = isName(issuer) ? issuer.names : []
  if (!isName(issuer) || name === undefined || others.length > 0)
    throw invalidSexp('the issuer is not one name of somebody')
  const { notBefore, notAfter } = validityOf(fields.get('valid'))
  return {
    issuer: issuer.of,
    name,
    subject: principalFromSexp(only(fields.get('subject'), 'subject'), names),
    ...(notBefore === undefined ? {} : { notBefore }),
    expires: notAfter ?? null,
  }
}

/** Writes a name certificate, for people and other software. Without its nonce and signatures it proves nothing. */
export function writeNameCert({ issuer, name, subject, ...times }: NameCert): Sexp {
  const bounds = boundsOf(times)
  return [
    sexp('cert'),
    [sexp('issuer'), principalToSexp({ of: issuer, names: [name] })],
    [sexp('subject'), principalToSexp(subject)],
    ...(bounds.length === 0 ? [] : [sexp(['valid', ...bounds])]),
  ]
}
