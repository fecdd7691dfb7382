/** Times, numbers and ids as a person reads them. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const SHORT_ID_CHARS = 10;
const KIB = 1_024;

/** A duration in its two largest units: `850 ms`, `2.4 s`, `3 min 20 s`, `2 h 5 min`, `4 d 1 h`. */
export function formatDuration(ms: number): string {
	const rest = Math.max(0, ms);
	if (rest < SECOND_MS) return `${Math.round(rest)} ms`;
	if (rest < 10 * SECOND_MS) return `${(Math.floor(rest / 100) / 10).toFixed(1)} s`;
	if (rest < MINUTE_MS) return `${Math.floor(rest / SECOND_MS)} s`;
	if (rest < HOUR_MS) return pair(rest, [MINUTE_MS, 'min'], [SECOND_MS, 's']);
	if (rest < DAY_MS) return pair(rest, [HOUR_MS, 'h'], [MINUTE_MS, 'min']);
	return pair(rest, [DAY_MS, 'd'], [HOUR_MS, 'h']);
}

type Unit = readonly [ms: number, name: string];

function pair(ms: number, [largeMs, large]: Unit, [smallMs, small]: Unit): string {
	const rest = Math.floor((ms % largeMs) / smallMs);
	return `${Math.floor(ms / largeMs)} ${large}${rest > 0 ? ` ${rest} ${small}` : ''}`;
}

/** A time against now, in whole units: `just now`, `12 s ago`, `in 3 min`. */
export function formatRelative(at: string, nowMs: number): string {
	const ms = nowMs - Date.parse(at);
	if (Math.abs(ms) < SECOND_MS) return 'just now';
	const whole = Math.floor(Math.abs(ms) / SECOND_MS) * SECOND_MS;
	const text = whole < MINUTE_MS ? `${whole / SECOND_MS} s` : formatDuration(whole);
	return ms > 0 ? `${text} ago` : `in ${text}`;
}

/** The time of day with milliseconds, in the reader's time zone; with the date if it is not today's. */
export function formatClock(at: string, nowMs: number): string {
	const date = new Date(at);
	const two = (value: number) => String(value).padStart(2, '0');
	const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
	const precise = `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`;
	const isToday = date.toDateString() === new Date(nowMs).toDateString();
	return isToday ? precise : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock}`;
}

/** Groups of three digits, separated by commas. */
export function formatCount(count: number): string {
	return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

export function formatBytes(bytes: number): string {
	if (bytes < KIB) return `${bytes} B`;
	const kib = bytes / KIB;
	return kib < KIB ? `${kib.toFixed(kib < 10 ? 1 : 0)} KiB` : `${(kib / KIB).toFixed(1)} MiB`;
}

/** The beginning of an id: enough to tell the jobs of a list apart. */
export function shortId(id: string): string {
	return id.length > SHORT_ID_CHARS ? id.slice(0, SHORT_ID_CHARS) : id;
}

/** The change from one count to another: `+12`, `−3`, `±0`. */
export function formatChange(now: number, before: number): string {
	const change = now - before;
	if (change === 0) return '±0';
	return change > 0 ? `+${formatCount(change)}` : `−${formatCount(-change)}`;
}

/** A noun with its number: `1 job`, `2 jobs`. */
export function formatJobs(count: number): string {
	return `${formatCount(count)} ${count === 1 ? 'job' : 'jobs'}`;
}
