import { useState } from 'preact/hooks';

export interface Command {
	readonly isRunning: boolean;
	readonly error: Error | undefined;
	readonly run: () => Promise<void>;
}

/** A button's work: at most once at a time, with its failure. */
export function useCommand(work: () => Promise<void>): Command {
	const [state, setState] = useState<{ isRunning: boolean; error?: Error }>({ isRunning: false });
	return {
		isRunning: state.isRunning,
		error: state.error,
		run: async () => {
			if (state.isRunning) return;
			setState({ isRunning: true });
			try {
				await work();
				setState({ isRunning: false });
			} catch (error) {
				setState({ isRunning: false, error: error as Error });
			}
		},
	};
}
