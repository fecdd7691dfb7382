import { useEffect, useRef } from 'preact/hooks';
import { ActionPage } from './pages/action.tsx';
import { ActionsPage } from './pages/actions.tsx';
import { JobPage } from './pages/job.tsx';
import { JobsPage } from './pages/jobs.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { SignInPage } from './pages/sign-in.tsx';
import { SubmitPage } from './pages/submit.tsx';
import { TasksPage } from './pages/tasks.tsx';
import { TopicPage } from './pages/topic.tsx';
import { TopicsPage } from './pages/topics.tsx';
import { UpstreamsPage } from './pages/upstreams.tsx';
import { WirePage } from './pages/wire.tsx';
import { Header } from './parts/header.tsx';
import { type Route, routeOf, titleOf } from './pure/route.ts';
import { address } from './state/router.ts';
import { me } from './state/session.ts';

export function App() {
	const { path, visit } = address.value;
	const route = routeOf(path);
	const isSignedIn = Boolean(me.value);
	const title = me.value === null ? 'Sign in' : titleOf(route);
	useEffect(() => {
		document.title = `${title} · Coatcheck`;
	}, [title]);
	if (me.value === undefined) return <p class="loading">Loading…</p>;
	return (
		<>
			<a class="skip" href="#content">
				Skip to the content
			</a>
			<Header isSignedIn={isSignedIn} />
			<Content key={path} visit={visit}>
				{isSignedIn ? <Page route={route} /> : <SignInPage />}
			</Content>
		</>
	);
}

interface ContentProps {
	readonly visit: number;
	readonly children: preact.ComponentChildren;
}

/** Takes the focus when another page opens, so that a screen reader begins there. */
function Content({ visit, children }: ContentProps) {
	const element = useRef<HTMLElement>(null);
	useEffect(() => {
		if (visit > 0) element.current?.focus({ preventScroll: true });
	}, []);
	return (
		<main id="content" ref={element} tabIndex={-1}>
			{children}
		</main>
	);
}

function Page({ route }: { readonly route: Route }) {
	switch (route.page) {
		case 'overview':
			return <OverviewPage />;
		case 'jobs':
			return <JobsPage />;
		case 'job':
			return <JobPage id={route.id} />;
		case 'wire':
			return <WirePage id={route.id} />;
		case 'tasks':
			return <TasksPage />;
		case 'submit':
			return <SubmitPage task={route.task} />;
		case 'topics':
			return <TopicsPage />;
		case 'topic':
			return <TopicPage topic={route.topic} />;
		case 'upstreams':
			return <UpstreamsPage />;
		case 'actions':
			return <ActionsPage />;
		case 'action':
			return <ActionPage id={route.id} />;
		case 'unknown':
			return (
				<>
					<h1>Not found</h1>
					<p>
						No page has this address. <a href="/">Overview</a>
					</p>
				</>
			);
	}
}
