/**
 * Shows where the Worker's time goes. The runtime's own sampling profiler watches `wrangler dev` while clients submit instant jobs,
 * and while they poll. It lists the functions with the most time of their own, and the total time of some steps with their calls.
 *
 *     npm run bench:profile
 */
import { WebSocket } from 'ws';
import { freePort, startLocalWorker } from '../../demo/local-worker.ts';
import { table } from '../../demo/terminal.ts';
import { OURS, type Running, type Ticket } from '../compare/contender.ts';
import { inFlight } from '../compare/figures.ts';
import { hangUp } from '../compare/http.ts';
import { poll, submitted, untilAllDone } from '../compare/jobs.ts';
import { configWith } from '../configuration.ts';
import { inclusiveMs, type Profile, selfMs } from './samples.ts';

const WARM_UP = 300;
const SUBMITS = 600;
const POLLS = 1_500;
const WIDTH = 16;
const SHOWN = 22;
const SAMPLE_EVERY_US = 200;
const LOCAL_KEY = '{"local":"Y29hdGNoZWNrLWxvY2FsLWRldmVsb3BtZW50LW9ubHk="}';

/** Steps of a request, by the function that implements each. Time that they await is not included. */
const STEPS: Readonly<Record<string, readonly string[]>> = {
	'routing and configuration': ['methodsOf', 'configured', 'lanesOf'],
	'tokens, checked': ['verifyToken'],
	'tokens, signed': ['signToken'],
	'options and input, validated': ['readOptions', 'readParameters', 'parseJson', 'checkInput', 'jobOptions'],
	'calls into the object, and its start': ['callOnce'],
	"the object's own turn": ['#commit', '#current', 'viewOf'],
	storage: ['save', 'load', 'setAlarm'],
	'the document and its links': ['statusDocument', 'jobLinks', 'jobFacts', 'viewOf'],
	'the answer': ['documentResponse', 'finished'],
	'the message, sent': ['sendJob'],
	'the attempt': ['handleMessage', 'settleAll'],
};

async function main(): Promise<void> {
	const inspectorPort = await freePort();
	const config = await configWith('bench/workers/subject.ts', (toml) => toml, false);
	const vars = ['--var', 'AUTH:none', '--var', `SIGNING_KEYS:${LOCAL_KEY}`];
	const worker = await startLocalWorker({ inspectorPort, args: ['--config', config.path, ...vars] });
	const contender: Running = { ...OURS, name: 'Coatcheck', origin: worker.origin, stop: worker.stop };
	const inspector = await connect(inspectorPort);
	try {
		await submits(contender, WARM_UP);
		let tickets: Ticket[] = [];
		show(
			'submitting, running and finishing an instant job',
			SUBMITS,
			await inspector.profile(async () => {
				tickets = await submits(contender, SUBMITS);
			}),
		);
		await polls(tickets, WARM_UP);
		show('polling a finished job', POLLS, await inspector.profile(() => polls(tickets, POLLS)));
	} finally {
		inspector.close();
		hangUp();
		await worker.stop();
		await config.remove();
	}
}

async function submits(contender: Running, count: number): Promise<Ticket[]> {
	const { results } = await inFlight(WIDTH, count, () => submitted(contender, { ms: 0 }));
	await untilAllDone(results.slice(-WIDTH));
	return results;
}

async function polls(tickets: readonly Ticket[], count: number): Promise<void> {
	await inFlight(WIDTH, count, (index) => poll(tickets[index % tickets.length] as Ticket));
}

function show(what: string, count: number, profile: Profile): void {
	const self = [...selfMs(profile)].sort(([, a], [, b]) => b - a);
	const busy = self.filter(([name]) => name !== '(idle)').reduce((sum, [, ms]) => sum + ms, 0);
	const row = (name: string, ms: number) => [
		name,
		((ms * 1_000) / count).toFixed(0),
		`${((ms / busy) * 100).toFixed(1)} %`,
	];
	console.log(`\n${what}: ${((busy * 1_000) / count).toFixed(0)} µs of CPU in the isolate each\n`);
	table([
		['with all they call', 'µs', 'share'],
		...Object.entries(STEPS).map(([step, names]) => row(step, inclusiveMs(profile, names))),
	]);
	console.log();
	table([
		['by themselves', 'µs', 'share'],
		...self
			.filter(([name]) => name !== '(idle)')
			.slice(0, SHOWN)
			.map(([name, ms]) => row(name, ms)),
	]);
}

interface Inspector {
	profile(act: () => Promise<void>): Promise<Profile>;
	close(): void;
}

/** The part of the Chrome DevTools Protocol that a profile needs. */
async function connect(port: number): Promise<Inspector> {
	const [target] = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as { webSocketDebuggerUrl: string }[];
	const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
	const answers = new Map<number, (result: unknown) => void>();
	await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
	socket.on('message', (data) => {
		const { id, result } = JSON.parse(String(data)) as { id?: number; result: unknown };
		if (id !== undefined) answers.get(id)?.(result);
	});
	let last = 0;
	const call = <T>(method: string, params: object = {}) =>
		new Promise<T>((resolve) => {
			const id = ++last;
			answers.set(id, (result) => resolve(result as T));
			socket.send(JSON.stringify({ id, method, params }));
		});
	await call('Profiler.enable');
	await call('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US });
	return {
		async profile(act) {
			await call('Profiler.start');
			await act();
			return (await call<{ profile: Profile }>('Profiler.stop')).profile;
		},
		close: () => socket.close(),
	};
}

await main();
