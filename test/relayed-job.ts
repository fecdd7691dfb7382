/** The header of a request for a link that goes through the `Relay` of `worker.ts`. workerd takes no constant as an export there. */
export const RELAYED_JOB = 'relayed-job';
