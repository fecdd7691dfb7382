#!/usr/bin/env bash
# workerd 1.20261117.1: DROP TABLE of 1,000 indexed rows counts no row as written, DELETE 1,000, INSERT 2,000.
#
# A Durable Object is billed by rows written, which `rowsWritten` of a cursor tells. D1's pricing page says of the same
# engine that an index adds a row to each write of its column. The guess was 2,000 for all three statements: each of
# them changes every row of the table and of the index.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . workerd@1.20261117.1

mkdir storage
cat > config.capnp <<'CAPNP'
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), (name = "storage", disk = (path = "storage", writable = true))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-20",
  durableObjectNamespaces = [(className = "Table", uniqueKey = "table", enableSql = true)],
  durableObjectStorage = (localDisk = "storage"),
  bindings = [(name = "TABLE", durableObjectNamespace = "Table")],
);
CAPNP
cat > worker.js <<'JS'
import { DurableObject } from 'cloudflare:workers';

export class Table extends DurableObject {
	count(end) {
		const { sql } = this.ctx.storage;
		sql.exec('CREATE TABLE jobs (id INTEGER PRIMARY KEY, name TEXT)');
		sql.exec('CREATE INDEX by_name ON jobs (name)');
		let inserted = 0;
		for (let row = 0; row < 1_000; row += 1) {
			inserted += sql.exec('INSERT INTO jobs (name) VALUES (?)', `job ${row}`).rowsWritten;
		}
		return { INSERT: inserted, [end]: sql.exec(end).rowsWritten };
	}
}

export default {
	async fetch(_request, { TABLE }) {
		const table = () => TABLE.get(TABLE.newUniqueId());
		return Response.json({ ...(await table().count('DELETE FROM jobs')), ...(await table().count('DROP TABLE jobs')) });
	},
};
JS

cat > try.mjs <<'JS'
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync('node_modules/workerd/package.json', 'utf8'));
const options = { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] };
const runtime = spawn('node_modules/.bin/workerd', ['serve', '--control-fd=3', 'config.capnp'], options);
process.on('exit', () => runtime.kill());
let port;
for await (const chunk of runtime.stdio[3]) {
	port = /"port":\s*(\d+)/.exec(chunk)?.[1];
	if (port) break;
}
const seen = await (await fetch(`http://127.0.0.1:${port}/`)).json();

const recorded = { INSERT: 2_000, 'DELETE FROM jobs': 1_000, 'DROP TABLE jobs': 0 };
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`workerd ${version}`);
console.log('expected: about 2,000 rows written for each');
for (const [statement, rows] of Object.entries(seen)) console.log(`seen:     ${statement}: ${rows} rows written`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
