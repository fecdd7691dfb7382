#!/usr/bin/env bash
# workerd 1.20261117.1: a timer of 30 days waits, and so does an infinite one. In Node, both fire at once.
#
# HTML standard, "Timers": the timeout is a `long` of 32 bits, so a larger number wraps around. Node documents 1 ms for
# more than 2^31 - 1. The guess was that a Worker does either, and that a test in Node shows what a Worker will do.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . workerd@1.20261117.1

cat > config.capnp <<'CAPNP'
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js"), (name = "timers.js", esModule = embed "timers.js")],
  compatibilityDate = "2026-10-20",
);
CAPNP
cat > timers.js <<'JS'
const DAYS_30 = 30 * 24 * 60 * 60 * 1_000;
const waits = {
	'setTimeout, 0': (done) => setTimeout(done, 0),
	'setTimeout, 30 days': (done) => setTimeout(done, DAYS_30),
	'setTimeout, infinite': (done) => setTimeout(done, Number.POSITIVE_INFINITY),
	'AbortSignal.timeout, 30 days': (done) => AbortSignal.timeout(DAYS_30).addEventListener('abort', done),
};

/** Tells of each timer whether it has fired after half a second. */
export async function look() {
	const fired = {};
	for (const [name, wait] of Object.entries(waits)) {
		fired[name] = false;
		wait(() => (fired[name] = true));
	}
	await new Promise((done) => setTimeout(done, 500));
	return fired;
}
JS
cat > worker.js <<'JS'
import { look } from './timers.js';

export default { fetch: async () => Response.json(await look()) };
JS

cat > try.mjs <<'JS'
import { spawn } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync('node_modules/workerd/package.json', 'utf8'));
const options = { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] };
const runtime = spawn('node_modules/.bin/workerd', ['serve', '--control-fd=3', 'config.capnp'], options);
process.on('exit', () => runtime.kill());
let port;
for await (const chunk of runtime.stdio[3]) {
	port = /"port":\s*(\d+)/.exec(chunk)?.[1];
	if (port) break;
}
copyFileSync('timers.js', 'timers.mjs'); // so that Node reads it as a module
const { look } = await import('./timers.mjs');
const seen = { workerd: await (await fetch(`http://127.0.0.1:${port}/`)).json(), Node: await look() };

const names = Object.keys(seen.Node);
const recorded = {
	workerd: Object.fromEntries(names.map((name, index) => [name, index === 0])),
	Node: Object.fromEntries(names.map((name) => [name, true])),
};
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`workerd ${version}`);
console.log('expected: all four have fired after half a second');
for (const [runtimeName, fired] of Object.entries(seen)) {
	for (const name of names) console.log(`seen:     ${runtimeName}, ${name}: ${fired[name] ? 'fired' : 'waits'}`);
}
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node --no-warnings try.mjs
