/**
 * - `MissingHeader`: a header of Standard Webhooks is missing.
 * - `InvalidHeader`: a header doesn't have the expected form.
 * - `TooOld`, `TooNew`: the message was sent too long ago, or this machine's clock is wrong.
 * - `WrongSignature`: no signature belongs to this message and one of the secrets.
 * - `InvalidBody`: the signature is right, but the body is no event.
 */
export type RejectionCode = 'MissingHeader' | 'InvalidHeader' | 'TooOld' | 'TooNew' | 'WrongSignature' | 'InvalidBody';

/** The message is not a delivery for this receiver. Answer with `status`: Coatcheck tries again, except after 410. */
export class DeliveryRejected extends Error {
	override readonly name = 'DeliveryRejected';
	readonly code: RejectionCode;
	/** 401 for a message that may be forged or repeated, 400 for any other. */
	readonly status: 400 | 401;

	constructor(code: RejectionCode, message: string, options?: ErrorOptions) {
		super(message, options);
		this.code = code;
		this.status = code === 'WrongSignature' || code === 'TooOld' || code === 'TooNew' ? 401 : 400;
	}
}
