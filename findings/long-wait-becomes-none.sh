#!/usr/bin/env bash
# axios-retry 4.5.0, @runwayml/sdk 4.20.1, eventsource 5.1.5: a wait of 30 days becomes no wait at all.
#
# Retry-After is any number of seconds (RFC 9110, section 10.2.3), and `retry:` of an event stream any number of
# milliseconds (HTML standard, "Interpreting an event stream"). Node's timers hold at most 2^31 - 1 ms, 24.8 days. A
# longer time fires after 1 ms, and these clients pass the server's number to the timer as it is.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . axios@1.21.1 axios-retry@4.5.0 @runwayml/sdk@4.20.1 eventsource@5.1.5

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import RunwayML from '@runwayml/sdk';
import axios from 'axios';
import axiosRetry from 'axios-retry';
import { EventSource } from 'eventsource';

const DAYS_30 = 30 * 24 * 60 * 60;
let count = 0;
const server = createServer((request, response) => {
	count += 1;
	const stream = request.headers.accept?.includes('text/event-stream');
	if (stream && count <= 20) response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`retry: ${DAYS_30}000\n\n`);
	else if (stream) response.writeHead(204).end();
	else response.writeHead(503, { 'retry-after': DAYS_30 }).end('{}');
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const origin = `http://127.0.0.1:${server.address().port}`;

const retrying = axios.create();
axiosRetry(retrying, { retries: 3 });
const clients = {
	'axios-retry': () => retrying.get(origin),
	'@runwayml/sdk': () => new RunwayML({ apiKey: 'none', baseURL: origin }).organization.retrieve(),
	eventsource: () => new Promise((ended) => (new EventSource(origin).onerror = ({ code }) => code === 204 && ended())),
};

const seen = {};
for (const [name, call] of Object.entries(clients)) {
	count = 0;
	await Promise.race([Promise.resolve(call()).catch(() => {}), sleep(5_000)]);
	const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
	console.log(`${name} ${version}: ${count} requests within 5 s`);
	seen[name] = count;
}

const recorded = { 'axios-retry': 4, '@runwayml/sdk': 3, eventsource: 21 };
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log('expected: one request each, the next one in 30 days or an error that says why not');
console.log(`seen:     ${JSON.stringify(seen)}; the server ends the event stream after 20`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node --no-warnings try.mjs
