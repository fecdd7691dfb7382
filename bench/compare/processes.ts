/** The resources that processes use, from Linux's `/proc`. On other systems they are unknown and not shown. */
import { readdir, readFile, readlink } from 'node:fs/promises';

/** `CLK_TCK` of every Linux that runs Node. */
const TICKS_PER_SECOND = 100;
const BYTES_PER_KIB = 1_024;

/** The descendants of a process, at any depth, whose program has this name. */
export async function childrenOf(ancestor: number, program: string): Promise<number[]> {
	const parents = new Map<number, { parent: number; name: string }>();
	for (const entry of await readdir('/proc').catch(() => [])) {
		const stat = /^\d+$/.test(entry) ? await statOf(Number(entry)) : undefined;
		if (stat) parents.set(Number(entry), stat);
	}
	const isBelow = (pid: number): boolean => {
		const parent = parents.get(pid)?.parent;
		return parent !== undefined && (parent === ancestor || isBelow(parent));
	};
	return [...parents].filter(([pid, { name }]) => name.includes(program) && isBelow(pid)).map(([pid]) => pid);
}

/** CPU time since its start, in milliseconds, with a precision of ten. */
export async function cpuMsOf(pid: number): Promise<number | undefined> {
	const stat = await statOf(pid);
	return stat && ((stat.userTicks + stat.systemTicks) * 1_000) / TICKS_PER_SECOND;
}

/** The same without system time, for disks and sockets. */
export async function userCpuMsOf(pid: number): Promise<number | undefined> {
	const stat = await statOf(pid);
	return stat && (stat.userTicks * 1_000) / TICKS_PER_SECOND;
}

/** Resident memory, in bytes. */
export async function residentBytesOf(pid: number): Promise<number | undefined> {
	const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
	const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
	return kib === undefined ? undefined : Number(kib) * BYTES_PER_KIB;
}

export async function isListeningOn(pid: number, port: number): Promise<boolean> {
	return (await portsOf(pid)).includes(port);
}

/** The TCP ports that a process listens on. */
export async function portsOf(pid: number): Promise<number[]> {
	const tables = await Promise.all(
		['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
	);
	const rows = tables
		.join('\n')
		.split('\n')
		.map((line) => line.trim().split(/\s+/));
	const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
	const targets = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
	const listening = rows.filter((row) => row[3] === '0A' && targets.includes(`socket:[${row[9]}]`));
	return listening.map((row) => Number.parseInt(row[1]?.split(':')[1] ?? '', 16));
}

interface Stat {
	readonly name: string;
	readonly parent: number;
	readonly userTicks: number;
	readonly systemTicks: number;
}

async function statOf(pid: number): Promise<Stat | undefined> {
	const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
	if (text === undefined) return undefined;
	// The name is in brackets, and may contain any character.
	const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
	return { name, parent: Number(fields[1]), userTicks: Number(fields[11]), systemTicks: Number(fields[12]) };
}
