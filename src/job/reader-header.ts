/**
 * The header that says who opens a socket, and carries the tokens of its links. Tail consumers see every header of every
 * request, but for those whose name has `token` in it: the runtime blots these out.
 */
export const READER_HEADER = 'coatcheck-reader-token';
/** The same in version 0.1.0: a Worker of that version may call for some seconds of a deploy. */
export const LEGACY_READER_HEADER = 'coatcheck-reader';
