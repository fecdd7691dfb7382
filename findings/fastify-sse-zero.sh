#!/usr/bin/env bash
# @fastify/sse 0.6.0: the id 0, the empty id and a retry of 0 are not written.
#
# HTML standard, "Interpreting an event stream": `id: 0` and `retry: 0` are values like others, and an empty id takes the
# last one back. The README's example of an async generator counts its ids from 0. hono 4.13.19 writes all three.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . @fastify/sse@0.6.0 fastify@5.12.8 hono@4.13.19

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import fastifySse from '@fastify/sse';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';

const { version } = JSON.parse(readFileSync('node_modules/@fastify/sse/package.json', 'utf8'));
const messages = [
	{ id: 0, data: 'queued' },
	{ id: 1, data: 'started', retry: 0 },
	{ id: '', data: 'ended' },
];

const fastify = Fastify();
await fastify.register(fastifySse);
fastify.get('/', { sse: true }, async (_request, reply) => {
	async function* iterate() {
		yield* messages;
	}
	await reply.sse.send(iterate());
});
await fastify.listen({ port: 0, host: '127.0.0.1' });

const hono = new Hono();
hono.get('/', (context) =>
	streamSSE(context, async (stream) => {
		for (const { id, ...message } of messages) await stream.writeSSE({ ...message, id: String(id) });
	}),
);

/** The lines of each event, in the order of the alphabet. */
async function read(response) {
	const events = (await response.text()).trim().split('\n\n');
	return events.map((event) => event.replaceAll('"', '').split('\n').map((line) => line.trim()).sort().join(', '));
}
const headers = { accept: 'text/event-stream' };
const seen = {
	'@fastify/sse': await read(await fetch(`http://127.0.0.1:${fastify.server.address().port}/`, { headers })),
	hono: await read(await hono.request('/', { headers })),
};
await fastify.close();

const recorded = {
	'@fastify/sse': ['data: queued', 'data: started, id: 1', 'data: ended'],
	hono: ['data: queued, id: 0', 'data: started, id: 1, retry: 0', 'data: ended, id:'],
};
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`@fastify/sse ${version}`);
console.log('expected: the first event has id: 0, the second retry: 0, the third an empty id');
for (const [name, events] of Object.entries(seen)) console.log(`seen:     ${name}: ${events.join(' | ')}`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
