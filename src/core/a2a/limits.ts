/** Limits of the A2A server, with their units. */

/** What its paths begin with. */
export const A2A_PATH = '/a2a';

/** How long a message that asks for no immediate answer waits for its task, in seconds. */
export const HELD_MESSAGE_SECONDS = 25;

/** How long clients may keep the agent card, in seconds. */
export const CARD_SECONDS = 300;

/** Tasks on a page of the list. */
export const PAGE_TASKS = { min: 1, max: 100, default: 50 } as const;

/** How often a stream opens its connection to the job again, and the doubling wait before it, in milliseconds. */
export const REOPENED_MS = { times: 6, first: 250, max: 8_000 } as const;
