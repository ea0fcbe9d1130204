/** What an error says, as a part of another sentence: without its full stop. */
export function reasonOf({ message }: Pick<Error, 'message'>): string {
  return message.replace(/\.$/, '')
}
