/** The example page: submits a job, shows its progress and its result, and cancels it. `npm run demo:react` serves it. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';

const root = document.getElementById('root');
if (root)
	createRoot(root).render(
		<StrictMode>
			<App />
		</StrictMode>,
	);
