/** Work that many deployments never have: actions, and forwarding to upstreams. An isolate loads all of it with the first. */
export { actionRunner } from './action/runner.ts';
export { continueFollowing } from './continue-following.ts';
export { pollFirst } from './upstream/operation.ts';
export { upstreamRunner } from './upstream/runner.ts';
