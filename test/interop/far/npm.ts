/** The clients from npm, and Node's own. `npm/package.json` has their versions. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FarClient, Need } from './client.ts';
import type { Snippet } from './page.ts';

const FOLDER = fileURLToPath(new URL('npm', import.meta.url));
/** Where version 4 of `eventsource` is. */
const OWN_MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url));
const EVENTSOURCE_4_VERSION = `'${process.execPath}' -p 'require("./eventsource/package.json").version'`;
const NODE_VERSION = `'${process.execPath}' -p process.versions.node`;

/** @param get an expression that sends a GET to `url`, with `headers`. */
function probe(get: string, imported = ''): Snippet {
	const headers = "{ headers: { Authorization: 'Bearer ' + process.env.KEY } }";
	const text = `${imported}\nconst [url, options] = [process.env.URL, ${headers}];\nawait ${get};\n`;
	return { file: 'probe.mjs', text };
}

/** @param name in the page. @param npmName in the registry. */
function npmClient(name: string, npmName: string, client: Partial<FarClient> = {}): FarClient {
	const { version } = JSON.parse(readFileSync(`${FOLDER}/node_modules/${npmName}/package.json`, 'utf8')) as {
		version: string;
	};
	return { name, packages: [npmName], version: `echo ${version}`, modules: `${FOLDER}/node_modules`, ...client };
}

function undiciProbe(option: string): Snippet {
	const get = `request(url, { ...options, dispatcher: new Agent().compose(${option}) })`;
	return probe(get, `import { Agent, interceptors, request } from 'undici';`);
}

/** Node ends while these wait to reconnect. */
const NEEDS_TIMER: readonly Need[] = [
	{ purpose: 'events', flag: 'const alive = setInterval(() => {}, 60_000);', instead: 'let alive;' },
];
const UNDICI_REDIRECTS = 'interceptors.redirect({ maxRedirections: 1 })';

export const NPM_CLIENTS: readonly FarClient[] = [
	{ name: 'Node fetch', packages: [], version: NODE_VERSION, probe: probe('fetch(url, options)') },
	npmClient('axios', 'axios', { probe: probe('axios.get(url, options)', `import axios from 'axios';`) }),
	npmClient('got', 'got', { probe: probe('got(url, options)', `import got from 'got';`) }),
	npmClient('ky', 'ky', { probe: probe('ky(url, options)', `import ky from 'ky';`) }),
	npmClient('ofetch', 'ofetch', { probe: probe('ofetch(url, options)', `import { ofetch } from 'ofetch';`) }),
	npmClient('superagent', 'superagent', {
		probe: probe('superagent.get(url).set(options.headers)', `import superagent from 'superagent';`),
	}),
	npmClient('node-fetch 3', 'node-fetch', { probe: probe('fetch(url, options)', `import fetch from 'node-fetch';`) }),
	npmClient('undici', 'undici', {
		probe: probe('request(url, options)', `import { request } from 'undici';`),
		following: { option: UNDICI_REDIRECTS, probe: undiciProbe(UNDICI_REDIRECTS) },
		needs: NEEDS_TIMER,
	}),
	npmClient('eventsource', 'eventsource', { needs: NEEDS_TIMER }),
	{ name: 'eventsource 4', packages: ['eventsource'], version: EVENTSOURCE_4_VERSION, modules: OWN_MODULES },
	npmClient('eventsource-client', 'eventsource-client'),
	npmClient('eventsource-parser', 'eventsource-parser'),
	npmClient('fetch-event-source', '@microsoft/fetch-event-source'),
	{ name: 'Node WebSocket', packages: [], version: NODE_VERSION },
	npmClient('ws', 'ws'),
	npmClient('websocket', 'websocket'),
	npmClient('reconnecting-websocket', 'reconnecting-websocket'),
];
