/** Clients from Debian's packages, unmodified, drive whole jobs with the snippets of `docs/clients.md`. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../server.ts';
import { describeClient } from './client.ts';
import { DEBIAN_CLIENTS } from './debian.ts';
import { clientsByHeading, commandsBeforeSnippets, rowOf, sectionAbout } from './page.ts';
import { Program } from './program.ts';
import { KEY, makeThumbnail, startService, startWaitingJob } from './service.ts';
import { Tap } from './tap.ts';
import { UntrustedService } from './untrusted.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

let server: Server;
let thumbnail: Buffer;
let untrusted: UntrustedService;

beforeAll(async () => {
	server = await startService();
	thumbnail = await makeThumbnail(server.origin);
	untrusted = await UntrustedService.open();
});
afterAll(async () => {
	untrusted?.close();
	await server?.stop();
});

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

	it('leads from each row of its table to a section of its own', () => {
		const anchors = [...clientsByHeading().values()].flat().map((name) => rowOf(name)[0]?.split('](')[1]);
		expect(new Set(anchors).size).toBe(anchors.length);
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

describe('curl in its other ways', () => {
	it('asks with --retry-all-errors until the result is there, in its own rhythm', async () => {
		using tap = await Tap.open(server.origin, { retryAfterSeconds: 60 });
		const { links, complete } = await startWaitingJob(tap.origin);
		const text = /`(curl [^`]*--retry 99[^`]*)`/.exec(sectionAbout('curl'))?.[1] ?? '';
		await using program = await Program.start({ file: 'retry.sh', text }, { variables: { RESULT: links.result } });
		const answers = () => tap.exchanges.filter(({ path, status }) => path.endsWith('/result') && status > 0);
		await expect.poll(() => answers().length).toBeGreaterThan(0);
		await complete();
		expect(await program.end(), program.printed).toBe(0);
		expect(readFileSync(join(program.folder, 'thumbnail.jpg'), 'utf8')).toBe('{"answer":42}');
		const [first, second] = answers();
		expect((second?.sentAtMs ?? 0) - (first?.answeredAtMs ?? 0)).toBeLessThan(60_000);
	});

	it('asks again with --retry for the result of a job that failed', async () => {
		using tap = await Tap.open(server.origin);
		const { links, fail } = await startWaitingJob(tap.origin);
		await fail();
		const text = 'curl -s --retry 1 -o answer "$RESULT"';
		await using program = await Program.start({ file: 'retry.sh', text }, { variables: { RESULT: links.result } });
		await program.end();
		const statuses = tap.exchanges.filter(({ path }) => path.endsWith('/result')).map(({ status }) => status);
		expect(statuses).toEqual([500, 500]);
	});

	it('repeats the POST at the Location with -X POST -L, which answers 405', async () => {
		const { links, complete } = await startWaitingJob(server.origin);
		await complete();
		const text = 'curl -s -X POST -L "$LOCATION"';
		await using program = await Program.start({ file: 'post.sh', text }, { variables: { LOCATION: links.self } });
		await program.end();
		expect(program.printed).toContain('"status":405');
	});
});

for (const client of DEBIAN_CLIENTS) describeClient(client, () => ({ origin: server.origin, thumbnail, untrusted }));
