/** The id of a job or of a batch: the platform's id of its object, in hexadecimal. */
export const OBJECT_ID = /^[0-9a-f]{64}$/;
