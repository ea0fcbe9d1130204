// S-expressions of RFC 9804, and certificates written in them.

export { readNameCert, writeNameCert } from './sexp/name-cert-sexp.ts'
export { parseCanonicalSexp, parseSexp } from './sexp/parse-sexp.ts'
export { readPrincipal, writePrincipal } from './sexp/principal-sexp.ts'
export type { Octets, Sexp, SexpText } from './sexp/sexp.ts'
export { sexp } from './sexp/sexp.ts'
export type { SpkiCertDraft, SpkiNames } from './sexp/spki-cert.ts'
export { readSpkiCert, writeSpkiCert } from './sexp/spki-cert.ts'
export { tagFromSexp, tagToSexp } from './sexp/tag-sexp.ts'
export { encodeSexp, formatSexp } from './sexp/write-sexp.ts'
