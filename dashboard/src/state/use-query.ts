import { useEffect, useRef, useState } from 'preact/hooks';
import { readJson } from './api.ts';

export interface Query<Value> {
	/** The last answer; kept while the next one is on its way. */
	readonly data: Value | undefined;
	readonly error: Error | undefined;
	readonly refresh: () => void;
	/** Replaces the answer, by what came another way. */
	readonly set: (value: Value) => void;
}

/**
 * Reads a resource once, and again on `refresh`.
 *
 * @param url may depend on the time, as a function does; `undefined` reads nothing.
 * @param identity reads again when it changes, and forgets the answer.
 */
export function useQuery<Value>(url: string | (() => string) | undefined, identity = String(url)): Query<Value> {
	const [state, setState] = useState<{ data?: Value; error?: Error; identity: string }>({ identity });
	const latest = useRef({ url, identity });
	latest.current = { url, identity };
	const run = useRef(0);
	const refresh = () => {
		const { url: asked, identity: askedFor } = latest.current;
		if (asked === undefined) return;
		const turn = ++run.current;
		const isCurrent = () => run.current === turn && latest.current.identity === askedFor;
		readJson<Value>(typeof asked === 'function' ? asked() : asked).then(
			(data) => isCurrent() && setState({ data, identity: askedFor }),
			(error: Error) =>
				isCurrent() &&
				setState((before) => ({ ...(before.identity === askedFor ? before : { identity: askedFor }), error })),
		);
	};
	useEffect(() => {
		refresh();
		return () => {
			run.current++;
		};
	}, [identity, url === undefined]);
	const isKnown = state.identity === identity;
	return {
		data: isKnown ? state.data : undefined,
		error: isKnown ? state.error : undefined,
		refresh,
		set: (data) => setState({ data, identity }),
	};
}
