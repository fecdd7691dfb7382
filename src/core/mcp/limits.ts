/** Limits of the MCP server, with their units. */

/** The path of the MCP server. */
export const MCP_PATH = '/mcp';

/** Maximum size of a request, in bytes: room for a binary input in base64. */
export const MAX_MCP_REQUEST_BYTES = 2 * 1_048_576;

/** Maximum size of a binary input in a request, in bytes. Larger inputs are sent by URL. */
export const MAX_EMBEDDED_INPUT_BYTES = 1_048_576;

/** Maximum size of a result that is part of an answer, in bytes. A larger one is linked. */
export const MAX_EMBEDDED_RESULT_BYTES = 1_048_576;

/** How long a call may wait for its job before it becomes a task, in seconds. */
export const MCP_WAIT_SECONDS_RANGE = { min: 0, max: 45 } as const;

/** How long a call of a client without tasks waits for its job, in seconds: hosts give up after 60. */
export const HELD_CALL_SECONDS = 45;

/** How long clients may keep the list of tools and the server's description, in milliseconds. */
export const CACHED_MS = 300_000;

/** How long after a call was closed it may be sent again before its job is canceled, in milliseconds. */
export const REPEATED_WITHIN_MS = 10_000;

/** Time for the download of a tool's file, in milliseconds. */
export const FILE_FETCH_MS = 60_000;
