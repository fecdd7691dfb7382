/** The official SDK of the Agent2Agent protocol, unmodified: `npm run test:mcp` installs it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startServer } from '../server.ts';

const CLIENT = fileURLToPath(new URL('a2a-client.ts', import.meta.url));
const run = promisify(execFile);

it('sends messages, follows and lists tasks, and understands each error', async () => {
	const server = await startServer();
	try {
		const { stdout } = await run(process.execPath, [CLIENT, server.origin]);
		const { streamed, ...told } = JSON.parse(stdout) as { streamed: string[] };
		expect(told).toMatchObject({
			task: { artifacts: [{ parts: [{ content: { $case: 'data', value: { sleptSeconds: 1 } } }] }] },
			isSame: true,
			listed: 2,
			cancelEnded: 'TaskNotCancelableError',
			unknown: 'TaskNotFoundError',
			refused: 'RequestMalformedError',
		});
		expect(streamed[0]).toBe('task');
		expect(streamed.slice(-2)).toEqual(['artifactUpdate', 'statusUpdate']);
	} finally {
		await server.stop();
	}
});
