/** The key of this tab, and its rights. The key is kept for the tab only, and never in a URL. */
import { computed, signal } from '@preact/signals';

const STORED_AS = 'coatcheck.key';

export interface Me {
	readonly tenant: string;
	readonly scopes: readonly string[];
	readonly keyId?: string;
}

export type Scope = 'submit' | 'read' | 'cancel' | 'operate' | 'admin';

export const key = signal<string | undefined>(sessionStorage.getItem(STORED_AS) ?? undefined);
/** `undefined` until the service has answered; `null` for a caller that has to sign in. */
export const me = signal<Me | null | undefined>(undefined);
/** Why the caller has to sign in. */
export const signInReason = signal('');

const scopes = computed(() => new Set(me.value?.scopes));

export function may(scope: Scope): boolean {
	return scopes.value.has(scope) || scopes.value.has('admin');
}

/** Whether the deployment asks for a key: a command line then needs one. */
export const needsKey = computed(() => key.value !== undefined);

/** Asks who the caller is: with the key, with what Cloudflare Access adds, or without anything in an open deployment. */
export async function identify(): Promise<void> {
	const headers: HeadersInit = key.value === undefined ? {} : { authorization: `Bearer ${key.value}` };
	const response = await fetch('/v1/me', { headers, cache: 'no-store' }).catch(() => undefined);
	if (response?.ok) {
		signInReason.value = '';
		me.value = (await response.json()) as Me;
		return;
	}
	const isFirst = key.value === undefined;
	signOut(refusal(response, isFirst));
}

function refusal(response: Response | undefined, isFirst: boolean): string {
	if (!response) return 'The service does not answer.';
	if (response.status === 401) return isFirst ? '' : 'The service does not know this key.';
	return `The service answered ${response.status}.`;
}

export async function signIn(entered: string): Promise<void> {
	key.value = entered;
	sessionStorage.setItem(STORED_AS, entered);
	await identify();
}

export function signOut(reason = ''): void {
	sessionStorage.removeItem(STORED_AS);
	key.value = undefined;
	me.value = null;
	signInReason.value = reason;
}
