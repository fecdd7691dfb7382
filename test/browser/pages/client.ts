/** A page that has the client and does nothing by itself: the tests call it. */
import * as client from '../../../src/client/index.ts';

declare global {
	var coatcheck: typeof client;
}

globalThis.coatcheck = client;
