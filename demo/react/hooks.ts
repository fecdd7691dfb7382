/** The hooks of this page's deployment. In your own project, import from `coatcheck/client` and `coatcheck/react`. */
import { createClient } from '../../src/client/index.ts';
import { createHooks } from '../../src/react/index.ts';
import type { tasks } from '../../src/tasks/index.ts';

/** Set when the page is built. */
declare const COATCHECK_URL: string;

export const { useJob, useSubmit } = createHooks(createClient<typeof tasks>({ baseUrl: COATCHECK_URL }));
