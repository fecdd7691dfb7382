/** Reads the deployment's queues from `wrangler.toml`. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { QueueBinding, QueueSettings } from './queues.ts';

const TOML = readFileSync(fileURLToPath(new URL('../../../wrangler.toml', import.meta.url).href), 'utf8');
/** More queues in one lane add no new behaviour. */
const MAX_QUEUES = 2;

export const CONSUMERS: readonly QueueSettings[] = tables('queues.consumers').map((table) => ({
	name: text(table, 'queue'),
	maxBatchSize: Number(table.max_batch_size),
	maxRetries: Number(table.max_retries),
	retryDelaySeconds: Number(table.retry_delay),
	...(table.dead_letter_queue !== undefined && { deadLetterQueue: text(table, 'dead_letter_queue') }),
}));

export const PRODUCERS: readonly QueueBinding[] = tables('queues.producers')
	.map((table) => ({ binding: text(table, 'binding'), queue: text(table, 'queue') }))
	.filter(({ binding }) => Number(/\d+$/.exec(binding)?.[0] ?? 1) <= MAX_QUEUES);

type Table = Readonly<Record<string, string>>;

/** The tables of one name, which contain only lines of `key = value`. */
function tables(name: string): Table[] {
	return TOML.split(/^\[+/m)
		.filter((section) => section.startsWith(`${name}]`))
		.map((section) => Object.fromEntries([...section.matchAll(/^(\w+) = "?([^"\n]*)"?$/gm)].map(([, k, v]) => [k, v])));
}

function text(table: Table, key: string): string {
	const value = table[key];
	if (value === undefined) throw new TypeError(`wrangler.toml: a queue has no "${key}"`);
	return value;
}
