#!/usr/bin/env bash
# eventsource 5.1.5 and undici 7.30.2: a program ends, with exit code 0, while its EventSource waits to reconnect.
#
# The HTML standard makes an EventSource open a stream again when it has ended ("reestablish the connection"). A pending
# timer usually keeps Node running. These two unref it, which neither README says. eventsource 4.1.1 goes on.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . eventsource@5.1.5 eventsource-4@npm:eventsource@4.1.1 undici@7.30.2

# The program under test: it prints progress until the job has ended.
cat > follow.mjs <<'JS'
const [, , library, url] = process.argv;
const { EventSource } = await import(library);
const source = new EventSource(url);
source.onmessage = ({ data }) => {
	console.log(data);
	if (data === 'done') source.close();
};
JS

cat > try.mjs <<'JS'
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

let connections;
const server = createServer((request, response) => {
	connections += 1;
	const data = connections < 3 ? `part ${connections}` : 'done';
	response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`retry: 100\nid: ${connections}\ndata: ${data}\n\n`);
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const url = `http://127.0.0.1:${server.address().port}/`;

const seen = {};
for (const library of ['eventsource', 'undici', 'eventsource-4']) {
	connections = 0;
	const child = spawn(process.execPath, ['--no-warnings', 'follow.mjs', library, url]);
	const exit = new Promise((exited) => child.on('exit', exited));
	const lines = (await text(child.stdout)).trim().split('\n');
	const { name, version } = JSON.parse(readFileSync(`node_modules/${library}/package.json`, 'utf8'));
	seen[`${name} ${version}`] = { lines, exitCode: await exit };
}

const cutShort = { lines: ['part 1'], exitCode: 0 };
const recorded = {
	'eventsource 5.1.5': cutShort,
	'undici 7.30.2': cutShort,
	'eventsource 4.1.1': { lines: ['part 1', 'part 2', 'done'], exitCode: 0 },
};
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log('expected: part 1, part 2, done');
for (const [library, { lines, exitCode }] of Object.entries(seen)) {
	console.log(`seen:     ${library}: ${lines.join(', ')}; exit code ${exitCode}`);
}
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
