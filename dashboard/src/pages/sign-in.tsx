import { identify, isUnanswered, signIn, signInReason } from '../state/session.ts';

export function SignInPage() {
	return (
		<form
			class="sign-in"
			onSubmit={(event) => {
				event.preventDefault();
				const entered = String(new FormData(event.currentTarget).get('key') ?? '').trim();
				if (entered !== '') void signIn(entered);
			}}
		>
			<h1>Sign in</h1>
			{signInReason.value && (
				<p class="note bad" role="alert">
					{signInReason.value}
				</p>
			)}
			{isUnanswered.value && (
				<button type="button" onClick={identify}>
					Try again
				</button>
			)}
			<label for="key">API key</label>
			<input id="key" name="key" type="password" autocomplete="off" required aria-describedby="key-help" />
			<p id="key-help" class="quiet">
				The key stays in this tab and is forgotten when you close it. You see and do only what the key allows.
			</p>
			<button type="submit" class="main">
				Sign in
			</button>
		</form>
	);
}
