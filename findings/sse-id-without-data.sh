#!/usr/bin/env bash
# eventsource-client 1.2.0 and launchdarkly-eventsource 2.2.0: an id that comes without data is forgotten.
#
# HTML standard, "Interpreting an event stream": a blank line sets the last event ID first, and only then an event without
# data is dropped. So a server can move the place to resume at without an event. eventsource 5.1.5 and undici 7.30.2
# remember such an id.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . \
	eventsource-client@1.2.0 launchdarkly-eventsource@2.2.0 eventsource@5.1.5 undici@7.30.2

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { EventSource } from 'eventsource';
import { createEventSource } from 'eventsource-client';
import { EventSource as LaunchDarklyEventSource } from 'launchdarkly-eventsource';
import { EventSource as UndiciEventSource } from 'undici';

const FIRST = 'retry: 20\n\nid: 7\ndata: progress\n\nid: 8\n\n';
let requests;
let resumed;
const server = createServer((request, response) => {
	requests += 1;
	if (requests === 1) return response.writeHead(200, { 'content-type': 'text/event-stream' }).end(FIRST);
	response.writeHead(204).end();
	resumed(request.headers['last-event-id']);
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const url = `http://127.0.0.1:${server.address().port}/`;

const clients = {
	'eventsource-client': () => createEventSource(url),
	'launchdarkly-eventsource': () => Object.assign(new LaunchDarklyEventSource(url), { onerror() {} }),
	eventsource: () => new EventSource(url),
	undici: () => new UndiciEventSource(url),
};
const keepAlive = setInterval(() => {}, 1_000); // two of them let Node end while they wait
const seen = {};
for (const [name, open] of Object.entries(clients)) {
	const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
	requests = 0;
	const lastEventId = new Promise((resolve) => (resumed = resolve));
	const source = open();
	seen[`${name} ${version}`] = await lastEventId;
	source.close();
}
clearInterval(keepAlive);

const recorded = { 'eventsource-client 1.2.0': '7', 'launchdarkly-eventsource 2.2.0': '7', 'eventsource 5.1.5': '8', 'undici 7.30.2': '8' };
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log('expected: after an event with id 7 and an id 8 without data, the next request says Last-Event-ID: 8');
for (const [client, id] of Object.entries(seen)) console.log(`seen:     ${client}: Last-Event-ID: ${id}`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node --no-warnings try.mjs
