#!/usr/bin/env bash
# standardwebhooks 1.1.1: a correctly signed binary body is refused, although verify() takes a Buffer.
#
# The specification of Standard Webhooks signs the id, the timestamp and the body as sent, and allows every content type.
# The library decodes a Buffer as UTF-8 first, which replaces each byte that is no UTF-8, and signs that text.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . standardwebhooks@1.1.1

cat > try.mjs <<'JS'
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';

const { version } = JSON.parse(readFileSync('node_modules/standardwebhooks/package.json', 'utf8'));
const key = randomBytes(32);
const webhook = new Webhook(`whsec_${key.toString('base64')}`);

/** What a sender does that follows the specification: HMAC-SHA256 of `id.timestamp.body`, in bytes. */
function sign(body) {
	const timestamp = String(Math.floor(Date.now() / 1000));
	const signature = createHmac('sha256', key).update(`msg_1.${timestamp}.`).update(body).digest('base64');
	return { 'webhook-id': 'msg_1', 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

const bodies = {
	'text in UTF-8': Buffer.from('größe: 5 €'),
	'the first bytes of a PNG': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
	'a gzip header': Buffer.from([0x1f, 0x8b, 0x08, 0x00]),
};
const seen = {};
for (const [name, body] of Object.entries(bodies)) {
	try {
		webhook.verify(body, sign(body), { jsonParse: false });
		seen[name] = 'verified';
	} catch (error) {
		seen[name] = error.message;
	}
}

const refused = 'No matching signature found';
const recorded = {
	'text in UTF-8': 'verified',
	'the first bytes of a PNG': refused,
	'a gzip header': refused,
};
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`standardwebhooks ${version}`);
console.log('expected: each body is verified');
for (const [name, outcome] of Object.entries(seen)) console.log(`seen:     ${name}: ${outcome}`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
