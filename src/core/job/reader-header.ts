/**
 * The header that identifies the reader of a socket, and carries the tokens of its links. Tail consumers see every
 * request header, but the runtime redacts those with `token` in their name.
 */
export const READER_HEADER = 'coatcheck-reader-token';
/** The header in version 0.1.0: a Worker of that version may call for some seconds of a deploy. */
export const LEGACY_READER_HEADER = 'coatcheck-reader';
