/** The handlers of the A2A server. */
export { describeAgent } from './card.ts';
export { takeMessage } from './send.ts';
export { changeA2aTask, getA2aTask, listA2aTasks } from './tasks.ts';
