/** Turns whatever a command throws into one clear sentence with a code, and an exit code. Pure. */
import { stripVTControlCharacters } from 'node:util';
import {
	AnswerTimeoutError,
	type Fault,
	ForeignAnswerError,
	JobCanceledError,
	JobFailedError,
	ProblemError,
	ProtocolError,
	TransportError,
} from '../src/client/index.ts';
import { EXIT, type ExitCode } from './exit.ts';

/** The command line is wrong. The message says what was expected. */
export class UsageError extends Error {
	override readonly name = 'UsageError';
}

/** The job has not ended. */
export class NotFinishedError extends Error {
	override readonly name = 'NotFinishedError';
}

/** The user pressed Ctrl-C. The message says what continues without the command. */
export class Interrupted extends Error {
	override readonly name = 'Interrupted';
}

/** The server refused the connection, or its name is unknown. */
export class Unreachable extends Error {
	override readonly name = 'Unreachable';
}

/** What a failed command says on stderr: as text, or as JSON. */
export interface Failure {
	readonly code: string;
	readonly message: string;
	readonly exitCode: ExitCode;
	/** The validation errors of a refused request. */
	readonly errors?: readonly Fault[];
	/** What to do. */
	readonly hint?: string;
}

export function explain(error: unknown): Failure {
	if (error instanceof JobFailedError) return failed(error.code, error.message);
	if (error instanceof JobCanceledError) return failed('Canceled', error.message);
	if (error instanceof NotFinishedError)
		return { code: 'NotFinished', message: error.message, exitCode: EXIT.unfinished };
	if (error instanceof Interrupted) return { code: 'Interrupted', message: error.message, exitCode: EXIT.interrupted };
	if (error instanceof ForeignAnswerError || isForeign(error)) return explainForeign(error as Error);
	if (error instanceof ProblemError) return explainProblem(error);
	if (error instanceof Unreachable || error instanceof TransportError) return explainSilence(error);
	if (error instanceof ProtocolError)
		return { code: 'NotCoatcheck', message: error.message, exitCode: EXIT.unreachable };
	return explainLocal(error);
}

/** Every 404 of Coatcheck is a problem with a code. */
function isForeign(error: unknown): boolean {
	return error instanceof ProblemError && error.status === 404 && error.code === undefined;
}

function explainForeign({ message }: Error): Failure {
	const hint = 'Is COATCHECK_URL (or --url) the address of a deployment of Coatcheck?';
	return { code: 'NotCoatcheck', message, exitCode: EXIT.unreachable, hint };
}

function explainProblem({ code = 'Refused', status, message, errors }: ProblemError): Failure {
	const [, detail = message] = message.split(new RegExp(`: ${status}(?: ${code})?, `));
	const hint = HINTS[code];
	return { ...failed(code, detail), ...(errors.length > 0 ? { errors } : {}), ...(hint ? { hint } : {}) };
}

const HINTS: Readonly<Record<string, string>> = {
	Unauthorized: 'Set the API key in COATCHECK_API_KEY, or give the whole URL of the job with its token',
	NotConfigured: '`coatcheck doctor` says what a deployment needs, `coatcheck dev` what a local one needs',
	UnknownTask: '`coatcheck tasks` lists the tasks',
};

function explainSilence(error: Unreachable | TransportError): Failure {
	const code = error instanceof AnswerTimeoutError ? 'Timeout' : 'Unreachable';
	const hint = 'Is the server running, and is COATCHECK_URL (or --url) its address?';
	return { code, message: error.message, exitCode: EXIT.unreachable, hint };
}

/** Errors of this machine: arguments, files, and defects. */
function explainLocal(error: unknown): Failure {
	const { name, message, code } = error as { name?: string; message?: string; code?: string };
	const text = stripVTControlCharacters(message ?? String(error));
	// The client throws a TypeError for an argument that can't be right.
	const isRefused = error instanceof TypeError && text.startsWith('Expected ');
	if (error instanceof UsageError || name === 'CLIError' || isRefused)
		return { code: 'Usage', message: text, exitCode: EXIT.usage };
	// Node's own message begins with the code.
	if (code !== undefined && /^E[A-Z]+$/.test(code))
		return { code, message: text.replace(`${code}: `, ''), exitCode: EXIT.usage };
	return { code: 'Internal', message: `${text}. This is a defect of coatcheck: report it`, exitCode: EXIT.internal };
}

function failed(code: string, message: string): Failure {
	return { code, message, exitCode: EXIT.failed };
}

/** The failure as a sentence for people. Each validation error names its place. */
export function renderFailure({ code, message, errors = [], hint }: Failure): string {
	const places = errors.map(
		({ pointer, header, parameter, message: wrong }) => `  ${pointer ?? header ?? parameter ?? 'request'}: ${wrong}`,
	);
	const head = code === 'Usage' ? message : `${code}: ${message}`;
	return [`coatcheck: ${head}`, ...places, ...(hint ? [`  ${hint}`] : [])].join('\n');
}
