/** The page's address. Links are real links; a click on one of them changes the address without loading the page again. */
import { signal } from '@preact/signals';

export interface Address {
	readonly path: string;
	readonly query: URLSearchParams;
	/** Counts the pages that were opened, so that the same address can be opened again. */
	readonly visit: number;
}

let visits = 0;

export const address = signal<Address>(readAddress());

function readAddress(): Address {
	return { path: location.pathname, query: new URLSearchParams(location.search), visit: visits++ };
}

export function navigate(to: string): void {
	history.pushState(null, '', to);
	address.value = readAddress();
	scrollTo(0, 0);
}

/** Changes the query without a new entry in the history. */
export function replaceAddress(to: string): void {
	history.replaceState(null, '', to);
	address.value = readAddress();
}

export function listenToLinks(): void {
	addEventListener('popstate', () => {
		address.value = readAddress();
	});
	document.addEventListener('click', (event) => {
		const link = event.target instanceof Element ? event.target.closest('a') : null;
		const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
		if (!link || !isPlain || event.defaultPrevented || !isInternal(link)) return;
		event.preventDefault();
		navigate(link.pathname + link.search);
	});
}

function isInternal(link: HTMLAnchorElement): boolean {
	const isOurs = link.origin === location.origin && link.target === '' && !link.hasAttribute('download');
	const isFragment = (link.getAttribute('href') ?? '').startsWith('#');
	return isOurs && !isFragment && !link.pathname.startsWith('/v1/');
}
