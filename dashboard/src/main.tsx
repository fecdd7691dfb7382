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
	// The page that was painted first. Preact would keep it.
	root.replaceChildren();
	render(<App />, root);
}
