#!/usr/bin/env bash
# @microsoft/fetch-event-source 2.0.1: each heartbeat comment arrives as a message with empty data.
#
# HTML standard, "Dispatch the event", step 2: if the data buffer is empty, nothing is dispatched. A comment line, which
# the standard recommends every 15 s against proxies that cut idle connections, has no data. Here a handler that parses
# JSON fails on it, and the same goes for a block that only sets `id` or `retry`.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . @microsoft/fetch-event-source@2.0.1 eventsource@4.1.1

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { EventSource } from 'eventsource';

const { version } = JSON.parse(readFileSync('node_modules/@microsoft/fetch-event-source/package.json', 'utf8'));
// The package is written for browsers. It asks the page for timers and for its visibility, and for nothing else.
globalThis.window = globalThis;
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };
const { fetchEventSource } = await import('@microsoft/fetch-event-source');

const STREAM = 'retry: 60000\n\n: heartbeat\n\nid: 1\ndata: {"percent":50}\n\n: heartbeat\n\nid: 2\ndata: {"percent":100}\n\n';
const server = createServer((request, response) => {
	response.writeHead(200, { 'content-type': 'text/event-stream' }).end(STREAM);
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const url = `http://127.0.0.1:${server.address().port}/`;

const seen = { 'fetch-event-source': [], eventsource: [] };
await fetchEventSource(url, { onmessage: ({ data }) => void seen['fetch-event-source'].push(data) });
await new Promise((ended) => {
	const source = new EventSource(url);
	source.onmessage = ({ data }) => void seen.eventsource.push(data);
	source.onerror = () => ended(source.close());
});

const recorded = {
	'fetch-event-source': ['', '', '{"percent":50}', '', '{"percent":100}'],
	eventsource: ['{"percent":50}', '{"percent":100}'],
};
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`@microsoft/fetch-event-source ${version}`);
console.log('expected: two messages, as from the EventSource beside it');
for (const [name, messages] of Object.entries(seen)) console.log(`seen:     ${name}: ${JSON.stringify(messages)}`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
