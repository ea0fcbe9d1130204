/** The `code` of the errors of a connection between two places. */
export type HttpErrorCode =
  /** The other end does not answer within its time, or cuts the connection again and again. Nothing is lost: run again. `details.url`. */
  | 'HTTP_UNREACHABLE'
  /** The server has another key than the one that was named: it is another place, or somebody in between. Nothing was sent. `details.key`, `details.expected`. */
  | 'HTTP_PEER_KEY'
  /** The certificate of the other end is missing, is none of a place, or is not good at this time. */
  | 'HTTP_PEER_CERTIFICATE'
  /** What the other end answers is no answer to the question: another version, or no vault server. `details.call`. */
  | 'HTTP_ANSWER_INVALID'
  /** The key that the client showed may not do this. Nothing was read or written. `details.key`. */
  | 'HTTP_NOT_ALLOWED'
  /** A request cannot be read, or asks for what there is not. */
  | 'HTTP_REQUEST_INVALID'
  /** A request is longer, or there are more of them, than the server takes. Later there may be room. */
  | 'HTTP_LIMIT'
  /** What was held open for the client, or what it stored and did not bring under charge, is gone, because it was idle or the server began anew: run again. */
  | 'HTTP_SESSION'
  /** Something failed at the server that it does not tell; its own log says what. */
  | 'HTTP_SERVER_FAILED'
