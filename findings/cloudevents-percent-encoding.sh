#!/usr/bin/env bash
# cloudevents 10.0.0: attributes go into HTTP headers as they are, so an event about "5 €" can't be sent in binary mode.
#
# CloudEvents' HTTP binding, section 3.1.3.2: a sender percent-encodes the characters outside U+0021 to U+007E, and the
# quotation mark and the percent sign; a receiver decodes them. fetch, like Node's http, refuses such a header.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . cloudevents@10.0.0

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { CloudEvent, HTTP } from 'cloudevents';

const { version } = JSON.parse(readFileSync('node_modules/cloudevents/package.json', 'utf8'));
const event = new CloudEvent({ type: 'job.succeeded', source: '/jobs/1', subject: '5 €' });
const message = HTTP.binary(event);
const header = message.headers['ce-subject'];

let sending = 'sent';
try {
	new Request('http://127.0.0.1/', { method: 'POST', headers: { 'ce-subject': header } });
} catch (error) {
	sending = error.name;
}
const received = HTTP.toEvent({ headers: { ...message.headers, 'ce-subject': '5%20%E2%82%AC' }, body: '' }).subject;

const seen = { header, sending, received };
const recorded = { header: '5 €', sending: 'TypeError', received: '5%20%E2%82%AC' };
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`cloudevents ${version}`);
console.log('expected: the subject "5 €" is sent as 5%20%E2%82%AC, and that header is received as "5 €"');
console.log(`seen:     the header for the subject is "${header}", and fetch answers ${sending}`);
console.log(`seen:     5%20%E2%82%AC is received as "${received}"`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
