/** Stdout does not take what is written to it. Nothing is written there after this. */
export class OutputError extends Error {
  override readonly name = 'OutputError'
  /** The other end of a pipe has had enough, as with `| head`: nobody is to be told. */
  readonly readerIsGone: boolean

  constructor(cause: NodeJS.ErrnoException) {
    super(`The result could not be written to stdout: ${cause.code ?? cause.message}.`, { cause })
    this.readerIsGone = cause.code === 'EPIPE'
  }
}
