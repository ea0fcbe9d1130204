/** The request by which a place offers a connection, on which the server asks then: reverse HTTP. */
export const REVERSE = 'reverse'

/**
 * What the connection becomes (RFC 9110, 7.8): TLS again, the server being its client, and HTTP/1.1 in it the other way round, as in the draft
 * of reverse HTTP (draft-lentczner-rhttp-00), whose `PTTH/1.0` has no TLS of its own.
 */
export const REVERSE_PROTOCOL = 'vault-reverse/1'
