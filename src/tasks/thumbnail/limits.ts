/** The limits of `thumbnail`'s parameters. A file of its own, because the parameters are needed before the codecs. */

/** Maximum length of a result's side, in pixels. */
export const MAX_SIDE_PIXELS = 4_096;
