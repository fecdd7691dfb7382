/** Which page a path is. `src/http/dashboard.ts` serves exactly these paths. */
export type Route =
	| { readonly page: 'overview' | 'jobs' | 'tasks' | 'topics' | 'upstreams' | 'actions' }
	| { readonly page: 'job' | 'wire' | 'action'; readonly id: string }
	| { readonly page: 'submit'; readonly task: string }
	| { readonly page: 'topic'; readonly topic: string }
	| { readonly page: 'unknown' };

const LISTS: Record<string, 'jobs' | 'tasks' | 'topics' | 'upstreams' | 'actions'> = {
	jobs: 'jobs',
	submit: 'tasks',
	topics: 'topics',
	upstreams: 'upstreams',
	actions: 'actions',
};

export function routeOf(path: string): Route {
	const [room = '', name = '', view = '', ...others] = path.split('/').slice(1).map(decode);
	if (others.length > 0) return { page: 'unknown' };
	if (room === '') return { page: name === '' ? 'overview' : 'unknown' };
	if (name === '') return { page: LISTS[room] ?? 'unknown' };
	if (room === 'jobs' && view === 'wire') return { page: 'wire', id: name };
	if (view !== '') return { page: 'unknown' };
	return namedPage(room, name);
}

function namedPage(room: string, name: string): Route {
	switch (room) {
		case 'jobs':
			return { page: 'job', id: name };
		case 'submit':
			return { page: 'submit', task: name };
		case 'topics':
			return { page: 'topic', topic: name };
		case 'actions':
			return { page: 'action', id: name };
		default:
			return { page: 'unknown' };
	}
}

function decode(segment: string): string {
	try {
		return decodeURIComponent(segment);
	} catch {
		return segment;
	}
}

/** The name in the title of the window. */
export function titleOf(route: Route): string {
	switch (route.page) {
		case 'job':
			return `Job ${route.id.slice(0, 10)}`;
		case 'wire':
			return `Wire view of job ${route.id.slice(0, 10)}`;
		case 'action':
			return 'Bulk action';
		case 'submit':
			return `Submit ${route.task}`;
		case 'topic':
			return `Topic ${route.topic}`;
		case 'tasks':
			return 'Submit a job';
		case 'unknown':
			return 'Not found';
		default:
			return route.page[0]?.toUpperCase() + route.page.slice(1);
	}
}
