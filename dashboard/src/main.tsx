import { render } from 'preact';
import { App } from './app.tsx';
import { startClock } from './state/live.ts';
import { listenToLinks } from './state/router.ts';
import { identify } from './state/session.ts';

const root = document.getElementById('page');
if (root) {
	listenToLinks();
	startClock();
	void identify();
	render(<App />, root);
}
