/** The pages of the dashboard. All are one file, which reads the path itself and knows only this API. */

/** Paths of pages. Other paths stay unknown. */
const PAGES = [
	/^\/$/,
	/^\/(jobs|submit|topics|upstreams|actions)$/,
	/^\/jobs\/[^/]+(\/wire)?$/,
	/^\/(submit|topics|actions)\/[^/]+$/,
];

export function isPage({ pathname }: URL): boolean {
	return PAGES.some((pattern) => pattern.test(pathname));
}
