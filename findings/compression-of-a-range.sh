#!/usr/bin/env bash
# compression 1.8.2 with express 5.3.0: a Range is cut from the plain file and then compressed, under the old validator.
#
# RFC 9110, section 14.2: a range counts bytes of the selected representation, and a gzip coding is part of it (8.4).
# A client that goes on with a broken gzip download by Range and If-Range gets 206 with bytes of another sequence: the
# two parts do not make the file.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . compression@1.8.2 express@5.3.0

cat > try.mjs <<'JS'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { gunzipSync } from 'node:zlib';
import compression from 'compression';
import express from 'express';

const { version } = JSON.parse(readFileSync('node_modules/compression/package.json', 'utf8'));
mkdirSync('public');
const table = Array.from({ length: 20_000 }, (_, row) => `${row},value ${row}\n`).join('');
writeFileSync('public/table.csv', table);
const app = express().use(compression()).use(express.static('public'));
const server = await new Promise((listening) => {
	const started = app.listen(0, '127.0.0.1', () => listening(started));
});

/** Node's http client leaves the coding alone, so the bytes are the ones on the wire. */
function download(headers) {
	const options = { host: '127.0.0.1', port: server.address().port, path: '/table.csv' };
	return new Promise((done) =>
		get({ ...options, headers: { 'accept-encoding': 'gzip', ...headers } }, async (response) =>
			done({ status: response.statusCode, headers: response.headers, bytes: Buffer.concat(await response.toArray()) }),
		),
	);
}

const whole = await download({});
const have = whole.bytes.subarray(0, 20_000); // the connection broke here
const rest = await download({ range: `bytes=${have.length}-`, 'if-range': whole.headers.etag });

let together;
try {
	together = gunzipSync(Buffer.concat([have, rest.bytes])).toString() === table ? 'the file' : 'another file';
} catch (error) {
	together = `no gzip file (${error.code})`;
}
const coding = rest.headers['content-encoding'];
const range = rest.headers['content-range'];
const skipped = table.slice(20_000) === gunzipSync(rest.bytes).toString();
const same = rest.status === 206 && coding === 'gzip' && skipped && together !== 'the file';
console.log(`compression ${version}`);
console.log(`expected: bytes 20,000 to the end of the ${whole.bytes.length} gzip bytes, or 200 with all of them`);
console.log(`seen:     ${rest.status}, Content-Encoding ${coding}, Content-Range ${range}, ${rest.bytes.length} bytes`);
console.log(`seen:     they unpack to what follows byte 20,000 of the plain file: ${skipped}`);
console.log(`seen:     both parts together are ${together}`);
console.log(same ? 'as recorded' : 'changed; recorded was 206 with a gzip of the plain rest');
process.exit(same ? 0 : 1);
JS
node try.mjs
