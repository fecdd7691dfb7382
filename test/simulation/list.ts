/**
 * The list of jobs on the simulated platform: it keeps what it is told, and asks about the jobs that it hears nothing of. Its storage of
 * rows is simpler than the real one; what it is told, when and by whom, is the Worker's own doing.
 */
import { DurableObject } from 'cloudflare:workers';
import { TOMBSTONE_MS } from '../../src/core/job/limits.ts';
import { isNewer, type JobNews, type NewsEvent } from '../../src/core/job/news.ts';
import { isGone } from '../../src/core/list/entry.ts';
import { isDoubtful } from '../../src/core/list/late-news.ts';
import { Jobs } from '../../src/rpc/jobs.ts';

export interface ListedRow {
	readonly news: JobNews;
	/** The number of the job's last event in the topic. */
	readonly toldSeq: number;
	readonly askAt: number;
	readonly askWaitMs: number;
}

/** An event of the topic `jobs`. */
export interface TopicEvent extends NewsEvent {
	readonly id: string;
	readonly createdAt: number;
}

export const ROW_PREFIX = 'job/';
export const EVENT_PREFIX = 'event/';
const FIRST_ASK_MS = 30_000;
/** Within the hour in which an expired job still answers. */
const MAX_ASK_MS = 30 * 60_000;
const ASK_TIMEOUT_MS = 10_000;
const GIVE_UP_AT = 5;

interface ListEnv {
	readonly JOBS: DurableObjectNamespace;
}

export class SimulatedList extends DurableObject<ListEnv> {
	async tell(news: readonly JobNews[]): Promise<void> {
		const now = Date.now();
		const doubtful = news.filter((each) => this.#apply(each, now) === 'doubtful');
		this.#setAlarm(now);
		if (doubtful.length === 0) return;
		const jobs = new Jobs(this.env.JOBS);
		const areAsked = await Promise.all(doubtful.map((each) => this.#ask(jobs, each)));
		this.#setAlarm(Date.now());
		if (areAsked.includes(false)) throw new Error('A job of late news could not be asked');
	}

	override async alarm(info?: AlarmInvocationInfo): Promise<void> {
		const now = Date.now();
		if ((info?.retryCount ?? 0) >= GIVE_UP_AT) return this.ctx.storage.setAlarm(now + MAX_ASK_MS);
		const jobs = new Jobs(this.env.JOBS);
		const due = this.#rows().filter(([, { askAt }]) => askAt <= now);
		for (const [key, row] of due) {
			const askWaitMs = Math.min(MAX_ASK_MS, 2 * row.askWaitMs);
			this.ctx.storage.kv.put(key, { ...row, askAt: now + askWaitMs, askWaitMs });
		}
		this.#setAlarm(now);
		await Promise.all(due.map(([, { news }]) => this.#ask(jobs, news)));
		this.#setAlarm(Date.now());
	}

	/** @returns whether the job answered. */
	async #ask(jobs: Jobs, { id, createdAt }: JobNews): Promise<boolean> {
		const asked = jobs.call(id, async (job) => ({ heard: await job.readNews() })).catch(() => undefined);
		const answer = await Promise.race([asked, scheduler.wait(ASK_TIMEOUT_MS)]);
		if (!answer) return false;
		const now = Date.now();
		const known = this.#known(id, now);
		if (answer.heard) this.#apply(answer.heard, now);
		else if (known?.news.createdAt === createdAt) {
			const { job: _, ...erased } = known.news;
			this.#apply({ ...erased, goneAt: now + TOMBSTONE_MS, events: [], readAt: now }, now);
		}
		return true;
	}

	/** A row is forgotten at the moment when its job is gone. */
	#known(id: string, now: number): ListedRow | undefined {
		const { kv } = this.ctx.storage;
		const row = kv.get<ListedRow>(`${ROW_PREFIX}${id}`);
		if (!row || !isGone(row.news, now)) return row;
		kv.delete(`${ROW_PREFIX}${id}`);
		return undefined;
	}

	#apply(news: JobNews, now: number): 'doubtful' | undefined {
		const { kv } = this.ctx.storage;
		const key = `${ROW_PREFIX}${news.id}`;
		const known = this.#known(news.id, now);
		// Late news of a job that the list does not know, or does not know any more.
		if (!known && isGone(news, now)) return undefined;
		if (!known && isDoubtful(news, now)) return 'doubtful';
		if (!isNewer(news, known?.news)) return undefined;
		const told = known?.news.createdAt === news.createdAt ? known.toldSeq : 0;
		const fresh = news.events.filter(({ seq }) => seq > told);
		for (const event of fresh) {
			const number = (kv.get<number>('events') ?? 0) + 1;
			kv.put('events', number);
			kv.put(`${EVENT_PREFIX}${number}`, { ...event, id: news.id, createdAt: news.createdAt });
		}
		const isUnfinished = news.goneAt === undefined;
		kv.put(key, {
			news,
			toldSeq: fresh.at(-1)?.seq ?? told,
			askAt: isUnfinished ? now + FIRST_ASK_MS : Number.POSITIVE_INFINITY,
			askWaitMs: FIRST_ASK_MS,
		});
		return undefined;
	}

	#rows(): [string, ListedRow][] {
		return Array.from(this.ctx.storage.kv.list<ListedRow>({ prefix: ROW_PREFIX }));
	}

	#setAlarm(now: number): void {
		const at = Math.min(...this.#rows().map(([, { askAt }]) => askAt));
		if (Number.isFinite(at)) void this.ctx.storage.setAlarm(Math.max(at, now + 50));
	}
}
