/** The exit codes of every command. Pure. */

export const EXIT = {
	/** It was done; for a job: it has succeeded. */
	success: 0,
	/** The job failed or was canceled, the server refused the request, or a check found an error. */
	failed: 1,
	/** The command line is wrong, or a file on it can't be read. */
	usage: 2,
	/** The job has not ended yet. */
	unfinished: 3,
	/** No answer, or one that does not come from Coatcheck. */
	unreachable: 4,
	/** A defect of the command line itself. */
	internal: 70,
	/** Ctrl-C. */
	interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
