import { isPaused } from '../state/live.ts';
import { address } from '../state/router.ts';
import { key, me, signOut } from '../state/session.ts';
import { Search } from './search.tsx';

const PAGES = [
	['/', 'Overview'],
	['/jobs', 'Jobs'],
	['/submit', 'Submit'],
	['/topics', 'Topics'],
	['/upstreams', 'Upstreams'],
	['/actions', 'Actions'],
] as const;

export function Header({ isSignedIn }: { readonly isSignedIn: boolean }) {
	return (
		<header class="top">
			<a class="brand" href="/">
				Coatcheck
			</a>
			{isSignedIn && (
				<>
					<nav aria-label="Pages">
						{PAGES.map(([path, name]) => (
							<a key={path} href={path} aria-current={isCurrent(path) ? 'page' : undefined}>
								{name}
							</a>
						))}
					</nav>
					<Search />
					<div class="session">
						<button type="button" aria-pressed={isPaused.value} onClick={togglePause}>
							{isPaused.value ? 'Resume' : 'Pause'}
						</button>
						<span class="quiet" title={me.value?.scopes.join(', ')}>
							{me.value?.tenant}
							{me.value?.keyId && ` · ${me.value.keyId}`}
						</span>
						{key.value !== undefined && (
							<button type="button" onClick={() => signOut()}>
								Sign out
							</button>
						)}
					</div>
				</>
			)}
			{isPaused.value && (
				<p class="paused" role="status">
					Paused: nothing on this page changes by itself.
				</p>
			)}
		</header>
	);
}

function isCurrent(path: string): boolean {
	const { path: current } = address.value;
	return path === '/' ? current === '/' : current === path || current.startsWith(`${path}/`);
}

function togglePause(): void {
	isPaused.value = !isPaused.value;
}
