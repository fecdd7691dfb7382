/** Clients from Debian's packages, unmodified, drive whole jobs with the snippets of `docs/clients.md`. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../server.ts';
import { describeClient } from './client.ts';
import { DEBIAN_CLIENTS } from './debian.ts';
import { clientsByHeading, commandsBeforeSnippets } from './page.ts';
import { Program } from './program.ts';
import { KEY, makeThumbnail, startService } from './service.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

let server: Server;
let thumbnail: Buffer;

beforeAll(async () => {
	server = await startService();
	thumbnail = await makeThumbnail(server.origin);
});
afterAll(() => server?.stop());

describe('the packages', () => {
	const names = [...new Set(DEBIAN_CLIENTS.flatMap(({ packages }) => packages))];

	it.each(names)('%s is installed', (name) => {
		expect(() => execFileSync('dpkg-query', ['--status', name]), `apt-get install ${name}`).not.toThrow();
	});

	it('are all installed by .ci/run', () => {
		const words = readFileSync(join(ROOT, '.ci/run'), 'utf8').split(/\s+/);
		expect(names.filter((name) => !words.includes(name))).toEqual([]);
	});
});

describe('the page', () => {
	it('has a section for each client that is tested here, and for no other', () => {
		const sections = [...clientsByHeading()].filter(([heading]) => heading !== 'JavaScript');
		expect(sections.flatMap(([, clients]) => clients).sort()).toEqual(DEBIAN_CLIENTS.map(({ name }) => name).sort());
	});

	it('gets the links of a job for the snippets', async () => {
		const commands = commandsBeforeSnippets().replace(/BASE=\S+ KEY=\S+/, `BASE=${server.origin} KEY=${KEY}`);
		const text = `${commands}\nprintf '%s\\n' "$EVENTS" "$SOCKET" "$CANCEL"\n`;
		await using program = await Program.start({ file: 'job.sh', text });
		expect(await program.end(), program.printed).toBe(0);
		const links = program.printed.trim().split('\n');
		expect(links.map((link) => /\/(\w+)\?token=/.exec(link)?.[1])).toEqual(['events', 'socket', 'cancel']);
	});
});

for (const client of DEBIAN_CLIENTS) describeClient(client, () => ({ origin: server.origin, thumbnail }));
