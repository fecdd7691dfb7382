import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { importAtStart } from './test/static-imports.ts';

/** What runs in Node: the Worker as a whole on a simulated platform, and the source as text. */
const IN_NODE = ['test/simulation/**', 'test/structure/**', 'test/dashboard/**', 'test/cli/pure/**'];
/** The dashboard in a real Chromium, in front of `wrangler dev`. `npm run test:browser` */
const BROWSER = ['test/browser/**'];
/** Drives `wrangler dev` behind a real port: clients that know nothing of it, and deployments. `npm run test:interop` */
const INTEROP = ['test/interop/**', 'test/deploy/**', 'test/cli/process/**'];
/** Clients made by generators, which it installs, and which need Java and Python. `npm run test:generated` */
const GENERATED = 'test/interop/generated/generated.test.ts';
/** Clients of other languages, from Debian's packages and npm. `npm run test:far` */
const FAR = ['test/interop/far/**/*.test.ts'];
/** Recipes that need a framework of their own, which it installs. `npm run test:recipes` */
const RECIPES = ['test/recipes/*.test.ts'];
/** The package, packed and installed from the registry. `npm run test:package` */
const PACKAGE = ['test/package/**'];
/** Needs a Prometheus on the machine. `npm run test:metrics` */
const METRICS = 'test/interop/prometheus.test.ts';
/** Need the protocols' own tools. `npm run test:mcp` */
const MCP = ['test/interop/mcp/conformance.test.ts', 'test/interop/mcp/a2a.test.ts'];
/** What takes too long for `npm test`: the first behind a real port, the second in workerd. `npm run test:slow` */
const SLOW = ['test/slow/poison.test.ts'];
const SLOW_IN_WORKERD = [
	'test/random/**',
	...['budget-list', 'cut-links', 'hibernation', 'payload'].map((name) => `test/flow/${name}.test.ts`),
	'test/mcp/hostile.test.ts',
	'test/slow/thumbnail-memory.test.ts',
];
/** Count what a whole deployment does or what timers an isolate has, or leave queues full. */
const ALONE = [
	...['asking', 'following', 'operation'].map((name) => `test/client/${name}.test.ts`),
	...['budget', 'budget-quotas', 'burst', 'overload', 'upstream'].map((name) => `test/flow/${name}.test.ts`),
	'test/topics/budget.test.ts',
];

/** The upstreams of the tests in workerd. */
const UPSTREAMS = JSON.stringify({
	report: { baseUrl: 'https://report.example', lane: 'jobs' },
	narrow: { baseUrl: 'https://narrow.example', lane: 'jobs', concurrency: 1 },
	lasting: { baseUrl: 'https://lasting.example', lane: 'jobs', follow: true, followSeconds: 7_200 },
	private: {
		baseUrl: 'https://private.example',
		lane: 'jobs',
		tenants: ['acme'],
		headers: { 'X-Report-Key': 's3cret of the operator' },
	},
	'main-ledger': {
		baseUrl: 'https://ledger.example/api',
		lane: 'jobs',
		methods: ['GET', 'POST'],
		paths: ['/entries', '/entries/*'],
		description: 'The entries of the ledger.',
		mcp: true,
	},
});

/**
 * A test waits for conditions, so that these limits only find what hangs: a busy machine may take many times as long as a quiet
 * one.
 *
 * vitest-plugin 1.4.10 passes on a line that an object logs only with its runner's next message, and the runner waits for the answer to it
 * before it ends: one line after the last test kept it for ever. Without interception, workerd itself writes the lines.
 */
const LIMITS = {
	disableConsoleIntercept: true,
	testTimeout: 240_000,
	hookTimeout: 240_000,
	setupFiles: './test/patience.ts',
};

const inWorkerd = () => [
	importAtStart(),
	cloudflareTest({
		main: './test/worker.ts',
		wrangler: { configPath: './wrangler.toml' },
		miniflare: {
			// No test reaches the network. The runner waits for every queued webhook, and a webhook without a receiver is tried for two days.
			outboundService: () => new Response('Tests reach no network', { status: 410 }),
			// A deployment that lets everybody in answers only under names that it knows. `ORIGIN` of `test/flow/client.ts` is one.
			bindings: { UPSTREAMS, PUBLIC_URL: 'https://coatcheck.example' },
			// Objects of an earlier version, in a Worker of their own: the runner has its own error texts for the objects of `main`.
			durableObjects: {
				JOBS_010: { className: 'JobObject', scriptName: 'version-010' },
				GATES_010: { className: 'UpstreamGate', scriptName: 'version-010' },
			},
			workers: [
				{
					name: 'version-010',
					modules: true,
					scriptPath: './test/rpc/objects-010.js',
					compatibilityDate: '2026-10-20',
					durableObjects: { JOBS: 'JobObject', GATES: 'UpstreamGate' },
				},
			],
			// Limits that tests can reach, one for each file that does.
			ratelimits: {
				LIMITER_OF_THREE: { namespace_id: '3', simple: { limit: 3, period: 60 } },
				LIMITER_OF_BATCHES: { namespace_id: '4', simple: { limit: 3, period: 60 } },
			},
		},
	}),
];

export default defineConfig({
	test: {
		// Most tests wait more than they work.
		maxWorkers: 4,
		projects: [
			{
				plugins: inWorkerd(),
				test: {
					name: 'workerd',
					include: ['test/**/*.test.ts'],
					exclude: [
						'**/node_modules/**',
						...IN_NODE,
						...INTEROP,
						...PACKAGE,
						...BROWSER,
						...RECIPES,
						...SLOW,
						...SLOW_IN_WORKERD,
						...ALONE,
					],
					// Files share a deployment, as tenants do. To start another one for each takes seconds.
					isolate: false,
					...LIMITS,
					setupFiles: [LIMITS.setupFiles, './test/as-new.ts'],
				},
			},
			{
				plugins: inWorkerd(),
				test: { name: 'workerd-alone', include: ALONE, ...LIMITS },
			},
			{
				test: {
					name: 'node',
					include: IN_NODE.map((glob) => `${glob}/*.test.ts`),
					...LIMITS,
				},
			},
			{
				// Rules without a platform, for the mutants: it starts in a sixth of the time. `npm test` runs them in workerd.
				test: { name: 'core', include: ['test/core/**/*.test.ts'], ...LIMITS },
			},
			{
				test: {
					name: 'interop',
					include: INTEROP.map((glob) => `${glob}/*.test.ts`),
					exclude: [METRICS, ...MCP, ...FAR, 'test/interop/generated/**', '**/node_modules/**'],
					...LIMITS,
				},
			},
			{
				// Each starts a browser and a server, which together wait more than they work. None measures time.
				test: {
					name: 'browser',
					include: BROWSER.map((glob) => `${glob}/*.test.ts`),
					maxWorkers: 2,
					...LIMITS,
				},
			},
			{
				// Programs of users, which wait more than they work. Some are compiled first, and one test runs a program up to five times.
				test: {
					name: 'far',
					include: FAR,
					exclude: ['**/node_modules/**'],
					maxConcurrency: 8,
					...LIMITS,
					testTimeout: 300_000,
				},
			},
			{
				test: { name: 'recipes', include: RECIPES, ...LIMITS },
			},
			{
				test: { name: 'package', include: PACKAGE.map((glob) => `${glob}/*.test.ts`), ...LIMITS },
			},
			{
				test: { name: 'metrics', include: [METRICS], ...LIMITS },
			},
			{
				test: { name: 'generated', include: [GENERATED], ...LIMITS },
			},
			{
				// Each scenario of the suite may run three times.
				test: { name: 'mcp', include: MCP, ...LIMITS, testTimeout: 300_000 },
			},
			{
				test: { name: 'slow', include: SLOW, ...LIMITS },
			},
			{
				plugins: inWorkerd(),
				test: {
					name: 'slow-in-workerd',
					include: SLOW_IN_WORKERD.map((glob) => glob.replace('**', '**/*.test.ts')),
					...LIMITS,
					testTimeout: 600_000,
				},
			},
		],
	},
});
