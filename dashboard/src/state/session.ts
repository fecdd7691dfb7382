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
/** Whether the service did not say who the caller is: it did not answer, or failed. That says nothing about the key, which is kept. */
export const isUnanswered = signal(false);

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
	if (response?.status === 401) return signOut(key.value === undefined ? '' : 'The service does not know this key.');
	const who = response?.ok ? ((await response.json()) as Me) : null;
	isUnanswered.value = who === null;
	signInReason.value = who
		? ''
		: response
			? `The service answered ${response.status}.`
			: 'The service does not answer.';
	me.value = who;
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
	isUnanswered.value = false;
	signInReason.value = reason;
}
