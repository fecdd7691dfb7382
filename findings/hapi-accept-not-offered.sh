#!/usr/bin/env bash
# @hapi/accept 6.0.3: negotiation answers with a media type that the server did not offer.
#
# mediaType(header, preferences) chooses among the server's types. RFC 9110, section 12.5.1: a range with parameters
# matches only types with these parameters, so `text/event-stream; charset=utf-8` matches none of the two offers. The
# client's own words come back, and a server that compares them with its offers sends something else, or nothing.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . @hapi/accept@6.0.3 negotiator@1.1.0

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import accept from '@hapi/accept';
import Negotiator from 'negotiator';

const { version } = JSON.parse(readFileSync('node_modules/@hapi/accept/package.json', 'utf8'));
const offers = ['application/json', 'text/event-stream'];
const seen = {};
for (const header of [
	'text/event-stream',
	'text/event-stream; charset=utf-8',
	'application/json; version=2, text/event-stream; q=0.5',
]) {
	const other = new Negotiator({ headers: { accept: header } }).mediaType(offers);
	seen[header] = { hapi: accept.mediaType(header, offers), negotiator: other ?? 'none' };
}

const recorded = {
	'text/event-stream': { hapi: 'text/event-stream', negotiator: 'text/event-stream' },
	'text/event-stream; charset=utf-8': { hapi: 'text/event-stream;charset=utf-8', negotiator: 'none' },
	'application/json; version=2, text/event-stream; q=0.5': { hapi: 'application/json;version=2', negotiator: 'text/event-stream' },
};
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`@hapi/accept ${version}`);
console.log(`expected: one of ${offers.join(' and ')}, or an empty answer; the package negotiator shows which`);
for (const [header, { hapi, negotiator }] of Object.entries(seen)) {
	console.log(`seen:     Accept: ${header}: "${hapi}"; negotiator: ${negotiator}`);
}
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
