#!/usr/bin/env bash
# @google/genai 2.32.0: a stream whose events have ids seems empty.
#
# HTML standard, "Parsing an event stream": the fields of an event, and comments, may come in any order. This client only
# looks at an event whose first line is its data, and drops every other without a word. Its option `baseUrl` names another
# server, and a gateway that can resume a stream, or sends heartbeats, adds such lines. openai 7.59.0 reads all of them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . @google/genai@2.32.0 openai@7.59.0

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';

/** What comes before the line with the data, in each event. */
const beginnings = { nothing: '', 'an id': 'id: 1\n', 'an event type': 'event: message\n', 'a comment': ': heartbeat\n' };
let beginning;
const server = createServer((request, response) => {
	request.resume();
	const parts = ['first', 'second'].map((text) => ({
		candidates: [{ content: { role: 'model', parts: [{ text }] } }],
		choices: [{ index: 0, delta: { content: text } }],
	}));
	response.writeHead(200, { 'content-type': 'text/event-stream' });
	response.end(parts.map((part) => `${beginning}data: ${JSON.stringify(part)}\n\n`).join(''));
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const baseUrl = `http://127.0.0.1:${server.address().port}`;

const genai = new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl } });
const openai = new OpenAI({ apiKey: 'none', baseURL: baseUrl, maxRetries: 0 });
const open = {
	'@google/genai': () => genai.models.generateContentStream({ model: 'slow', contents: 'hello' }),
	openai: () => openai.chat.completions.create({ model: 'slow', messages: [], stream: true }),
};
const seen = {};
for (const [name, openStream] of Object.entries(open)) {
	const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
	console.log(`${name} ${version}`);
	seen[name] = {};
	for (const [what, text] of Object.entries(beginnings)) {
		beginning = text;
		seen[name][what] = [];
		for await (const part of await openStream()) seen[name][what].push(part.text ?? part.choices[0].delta.content);
	}
}

const both = ['first', 'second'];
const recorded = {
	'@google/genai': { nothing: both, 'an id': [], 'an event type': [], 'a comment': [] },
	openai: { nothing: both, 'an id': both, 'an event type': both, 'a comment': both },
};
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log('expected: both parts, whatever comes before the data of an event');
for (const [name, streams] of Object.entries(seen)) {
	for (const [what, parts] of Object.entries(streams)) {
		console.log(`seen:     ${name}, ${what} before the data: ${parts.length === 0 ? 'an empty stream, no error' : parts.join(', ')}`);
	}
}
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node --no-warnings try.mjs
