/** All numbers of the hooks, with their units. */

/**
 * How long something is still followed after its last component is gone, in milliseconds: a component that is mounted again, or the next page,
 * finds the connection open.
 */
export const LINGER_MS = 1_000;
/** Events of a topic that arrive within this time, about one frame, are shown together. In milliseconds. */
export const GATHER_MS = 16;
/** Number of a topic's events that a component keeps. */
export const KEPT_EVENTS = 100;
