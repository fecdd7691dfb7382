/** Compares the list of jobs, and the topic `jobs`, with the jobs themselves. */
import { KEPT_AFTER_TRY_MS, TOMBSTONE_MS } from '../../src/core/job/limits.ts';
import { NEWS_TYPES } from '../../src/core/job/news.ts';
import type { HistoryEntry } from '../../src/core/job/record.ts';
import { Broken, type Ledger } from './ledger.ts';
import { EVENT_PREFIX, type ListedRow, ROW_PREFIX, type TopicEvent } from './list.ts';
import type { Objects } from './platform/objects.ts';
import type { World } from './platform/world.ts';
import type { Schedule } from './schedule.ts';
import type { Tally } from './tally.ts';

export interface ListCheckOptions {
	readonly schedule: Schedule;
	readonly tally: Tally;
	readonly onBroken: (error: Error) => void;
}

/** Without a fault, the list shows a change within this time. */
const LISTED_WITHIN_MS = 1_000;
/** A delivery that is given up after its job's time ends the job at once, and the list believes that its receiver still has an hour. */
const LISTED_TOO_LONG_MS = KEPT_AFTER_TRY_MS + TOMBSTONE_MS;
/** So often a list may fail to hear of a job within an hour. */
const MANY_TIMES = 8;
const TOLD: ReadonlySet<string> = new Set(NEWS_TYPES);

export class ListCheck {
	readonly #world: World;
	readonly #lists: Objects;
	readonly #options: ListCheckOptions;
	/** The events of each job that the topic must have. */
	readonly #entries = new Map<string, string[]>();

	constructor(world: World, lists: Objects, options: ListCheckOptions) {
		this.#world = world;
		this.#lists = lists;
		this.#options = options;
	}

	/** A change of a job is durable. */
	entry(ledger: Ledger, entry: HistoryEntry): void {
		const { seq, type } = entry;
		if (TOLD.has(type)) this.#entries.set(ledger.id, [...(this.#entries.get(ledger.id) ?? []), nameOf(entry)]);
		const { schedule, tally, onBroken } = this.#options;
		const isDisturbed = schedule.steps.length > 0 || hasKills(schedule);
		if (isDisturbed) return;
		this.#world.schedule(LISTED_WITHIN_MS, {
			label: 'look whether the list is in time',
			job: ledger.job,
			isQuiet: true,
			run: () => {
				tally.add('listings in time');
				const listed = this.#row(ledger.id)?.news.seq ?? 0;
				if (listed < seq)
					onBroken(
						new Broken(`job ${ledger.job}: after 1 s, the list has no. ${listed}, and not no. ${seq} (${type})`),
					);
			},
		});
	}

	/** The topic has each event of the job once, in the job's own order, and the list its last state. */
	atRest(ledger: Ledger): void {
		if (this.#options.schedule.steps.some(isLong)) return;
		const expected = this.#entries.get(ledger.id) ?? [];
		const told = this.#events(ledger.id).map(nameOf);
		if (told.join() !== expected.join())
			throw new Broken(`job ${ledger.job}: the topic "jobs" has ${told.join()}, and the job had ${expected.join()}`);
		this.#options.tally.add('events in the topic "jobs"', told.length);
		const { job, goneAt = Number.POSITIVE_INFINITY } = this.#row(ledger.id)?.news ?? {};
		if (job && goneAt > this.#world.clock + LISTED_TOO_LONG_MS)
			throw new Broken(`job ${ledger.job}: nothing is left of it, and the list shows it as ${job.status}`);
	}

	#row(id: string): ListedRow | undefined {
		return this.#rows().get(`${ROW_PREFIX}${id}`) as ListedRow | undefined;
	}

	#events(id: string): TopicEvent[] {
		const rows = this.#rows();
		const count = (rows.get('events') as number | undefined) ?? 0;
		const events = Array.from({ length: count }, (_, index) => rows.get(`${EVENT_PREFIX}${index + 1}`) as TopicEvent);
		return events.filter((event) => event.id === id);
	}

	/** All jobs of a simulation have one tenant, and so one list. */
	#rows(): ReadonlyMap<string, unknown> {
		const [list] = this.#lists.hosts.values();
		return list?.storage.rows ?? new Map();
	}
}

/** A fault that may last longer than everything is kept of a job that expires after a minute: nobody can tell of it then. */
function isLong({ deed }: Schedule['steps'][number]): boolean {
	const isRepeated = 'times' in deed && deed.times > MANY_TIMES && /^(calls|answers|alarms)/.test(deed.what);
	const isLate = deed.what === 'alarms late' && deed.ms > TOMBSTONE_MS;
	return deed.what === 'clock jumps' || isRepeated || isLate;
}

function nameOf({ seq, type }: Pick<HistoryEntry, 'seq' | 'type'>): string {
	return `${seq} ${type}`;
}

function hasKills({ jobs }: Schedule): boolean {
	return jobs.some(({ attempts }) => attempts.some(({ ends }) => ends === 'kills'));
}
