/** Clients from Debian's packages, unmodified, drive whole jobs with the snippets of `docs/clients.md`. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../server.ts';
import { describeClient } from './client.ts';
import { DEBIAN_CLIENTS } from './debian.ts';
import { makeThumbnail, startService } from './service.ts';

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

for (const client of DEBIAN_CLIENTS) describeClient(client, () => ({ origin: server.origin, thumbnail }));
