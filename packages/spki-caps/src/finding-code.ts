/** The `code` of a refusal. Each is one reason, and the first one that a chain meets. */
export type CapsFindingCode =
  /** There are more certificates, or more signatures on one, than are looked at. */
  | 'CAPS_TOO_LARGE'
  /** The request, or a certificate, cannot be read. */
  | 'CAPS_MALFORMED'
  /** The request is for another vault or place. */
  | 'CAPS_AUDIENCE'
  /** The request was taken before. */
  | 'CAPS_REPLAY'
  /** So many requests are remembered that none can be added; it may be sent again later. */
  | 'CAPS_NONCES_FULL'
  /** No root begins with the issuer of the first certificate. */
  | 'CAPS_NO_ROOT'
  /** The issuer is not one to whom an earlier certificate, or the root, grants. */
  | 'CAPS_CHAIN_BROKEN'
  /** The certificate occurs twice, or grants to one who has already granted on: a circle, or an order that is none. */
  | 'CAPS_CYCLIC'
  /** Who issues it may use what it was granted, and not grant it on. */
  | 'CAPS_NOT_DELEGABLE'
  /** The chain is longer than an earlier certificate, the root, or the verifier allows. */
  | 'CAPS_TOO_DEEP'
  /** What the certificate grants has nothing in common with what its issuer holds. */
  | 'CAPS_TAG_EMPTY'
  /** What is asked is not within what the chain grants. */
  | 'CAPS_NOT_COVERED'
  /** It is not valid yet. */
  | 'CAPS_NOT_YET'
  /** It is not valid any more. */
  | 'CAPS_EXPIRED'
  /** The certificate was revoked by one who may. */
  | 'CAPS_REVOKED'
  /** A signature that is needed was made with a key that was revoked by one who may. */
  | 'CAPS_KEY_REVOKED'
  /** There is no set of revocations that is fresh enough, or a revocation that cannot be read, so nobody can say that nothing was revoked. */
  | 'CAPS_STALE'
  /** The certificate holds only with a validation, and there is none by whom it names, for this request, and fresh enough. */
  | 'CAPS_NOT_VALIDATED'
  /** The keys of a vault in the chain are not known here. */
  | 'CAPS_KEYS_UNKNOWN'
  /** It was signed by keys of a vault that were replaced since, or by none that the vault had. */
  | 'CAPS_EPOCH'
  /** The issuer has not signed it, or the signature is bad. */
  | 'CAPS_SIGNATURE'
  /** Fewer members of a threshold have signed than it needs. */
  | 'CAPS_BELOW_THRESHOLD'
  /** There are enough signatures for a threshold, and some are of the same member. */
  | 'CAPS_NOT_DISTINCT'
  /** Whoever asks is not the one to whom the chain grants. */
  | 'CAPS_NOT_SIGNER'
  /** No certificates were found that would grant it. */
  | 'CAPS_NO_CHAIN'
