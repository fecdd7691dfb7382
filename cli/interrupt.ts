/** Ends a command early: by Ctrl-C, or when the server turns out to be unreachable. A second Ctrl-C ends the process at once. */
import { Interrupted } from './failure.ts';

const controller = new AbortController();
/** What continues without the command. */
let leftover = 'Interrupted';

/** Every wait of a command ends with this signal. */
export const stopped = controller.signal;

process.once('SIGINT', () => stop(new Interrupted(leftover)));

export function stop(reason: Error): void {
	controller.abort(reason);
}

/** Sets what Ctrl-C says from now on. */
export function sayWhenInterrupted(message: string): void {
	leftover = message;
}
