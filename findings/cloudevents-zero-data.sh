#!/usr/bin/env bash
# cloudevents 10.0.0: an event in structured mode whose data is 0 or false arrives without data.
#
# CloudEvents' JSON format, section 3.1: the member `data` holds any JSON value. The SDK writes 0 and false, and its own
# reader drops them: a progress of 0 percent is an event without progress.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . cloudevents@10.0.0

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { CloudEvent, HTTP } from 'cloudevents';

const { version } = JSON.parse(readFileSync('node_modules/cloudevents/package.json', 'utf8'));
const seen = {};
for (const data of [0, false, 50, true]) {
	const event = new CloudEvent({ type: 'job.progress', source: '/jobs/1', datacontenttype: 'application/json', data });
	const structured = HTTP.structured(event);
	seen[data] = { sent: JSON.stringify(JSON.parse(structured.body).data), received: String(HTTP.toEvent(structured).data) };
}

const recorded = {
	0: { sent: '0', received: 'undefined' },
	50: { sent: '50', received: '50' },
	false: { sent: 'false', received: 'undefined' },
	true: { sent: 'true', received: 'true' },
};
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`cloudevents ${version}`);
console.log('expected: what was sent is received');
for (const [data, { sent, received }] of Object.entries(seen)) {
	console.log(`seen:     data ${data}: sent as "data":${sent}, received as ${received}`);
}
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
