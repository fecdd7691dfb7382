/** Asks before something that can't be undone. */
import { createInterface } from 'node:readline/promises';
import { UsageError } from '../failure.ts';
import { stopped } from '../interrupt.ts';

/** @throws {UsageError} when there is no terminal to ask on. */
export async function confirm(question: string): Promise<boolean> {
	if (!process.stdin.isTTY) throw new UsageError(`${question} Expected --yes, because there is no terminal to ask on`);
	const prompt = createInterface({ input: process.stdin, output: process.stderr });
	// The prompt takes Ctrl-C for itself.
	prompt.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
	try {
		return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `, { signal: stopped })).trim());
	} catch (error) {
		stopped.throwIfAborted();
		throw error;
	} finally {
		prompt.close();
	}
}
