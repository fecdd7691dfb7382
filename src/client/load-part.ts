/** Loads a part of the client when it is first used. Bundlers keep such parts out of what a page loads at its start. */
import { TransportError } from './errors.ts';

/** @throws {TransportError} when the part can't be loaded: offline, or after a deploy that removed the page's scripts. */
export async function loadPart<Part>(part: Promise<Part>): Promise<Part> {
	try {
		return await part;
	} catch (cause) {
		throw new TransportError('Loading a part of the client failed', { cause });
	}
}
