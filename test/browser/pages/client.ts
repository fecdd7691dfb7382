/** A page that has the client and does nothing by itself: the tests call it. */
import * as client from '../../../src/client/index.ts';

declare global {
	var coatcheck: typeof client;
	/** What a test follows, for when it has ended. */
	var followed: Promise<{ readonly types: readonly string[]; readonly result: unknown }>;
}

globalThis.coatcheck = client;
