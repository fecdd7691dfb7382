/** The same deployment with the servers for agents at the start, instead of when they are needed. */
import { describeAgent } from '../../src/http/a2a/card.ts';
import { takeMessage } from '../../src/http/a2a/send.ts';
import { changeA2aTask, getA2aTask, listA2aTasks } from '../../src/http/a2a/tasks.ts';
import { serveMcp } from '../../src/http/mcp/serve.ts';

export * from '../../src/index.ts';
export { default } from '../../src/index.ts';

// The package has no side effects, so the bundler drops what is imported and not used.
Object.assign(globalThis, {
	agents: [serveMcp, describeAgent, takeMessage, changeA2aTask, getA2aTask, listA2aTasks],
});
