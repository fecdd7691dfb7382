/** Clients from npm, unmodified, drive whole jobs with the snippets of `docs/clients.md`. */
import { afterAll, beforeAll } from 'vitest';
import type { Server } from '../server.ts';
import { describeClient } from './client.ts';
import { NPM_CLIENTS } from './npm.ts';
import { makeThumbnail, startService } from './service.ts';
import { UntrustedService } from './untrusted.ts';

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

for (const client of NPM_CLIENTS) describeClient(client, () => ({ origin: server.origin, thumbnail, untrusted }));
