#!/usr/bin/env bash
# cloudevents 10.0.0: the content type of the HTTP binding's own example is refused.
#
# CloudEvents' HTTP binding, section 3.2.1, gives `application/cloudevents+json; charset=UTF-8` as the example for JSON.
# Media types and the value of charset are case-insensitive, and the space is optional (RFC 9110, sections 8.3.1, 8.3.2
# and 5.6.6). The SDK compares the text with a list of its own.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . cloudevents@10.0.0

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { HTTP } from 'cloudevents';

const { version } = JSON.parse(readFileSync('node_modules/cloudevents/package.json', 'utf8'));
const body = JSON.stringify({ specversion: '1.0', id: '1', type: 'job.succeeded', source: '/jobs/1', data: { ok: true } });

const seen = {};
for (const type of [
	'application/cloudevents+json',
	'application/cloudevents+json; charset=utf-8',
	'application/cloudevents+json; charset=UTF-8',
	'application/cloudevents+json;charset=utf-8',
	'Application/CloudEvents+JSON',
]) {
	try {
		seen[type] = HTTP.toEvent({ headers: { 'content-type': type }, body }).data.ok;
	} catch (error) {
		seen[type] = error.message.split('\n')[0];
	}
}

const recorded = {
	'application/cloudevents+json': true,
	'application/cloudevents+json; charset=utf-8': true,
	'application/cloudevents+json; charset=UTF-8': 'invalid content type application/cloudevents+json; charset=UTF-8',
	'application/cloudevents+json;charset=utf-8': 'invalid content type application/cloudevents+json;charset=utf-8',
	'Application/CloudEvents+JSON': 'no cloud event detected',
};
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`cloudevents ${version}`);
console.log('expected: all five are the same content type, and the event is read');
for (const [type, outcome] of Object.entries(seen)) console.log(`seen:     ${type}: ${outcome === true ? 'read' : outcome}`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
