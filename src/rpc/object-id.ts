/** Whether an id belongs to the objects of one class. The platform signs ids, so a forged one is rejected without a call. */
import { OBJECT_ID } from '../core/job/id.ts';

export function isIdIn(namespace: DurableObjectNamespace, id: string): boolean {
	if (!OBJECT_ID.test(id)) return false;
	try {
		namespace.idFromString(id);
		return true;
	} catch {
		return false;
	}
}
