/** `coatcheck/webhook`: receives the webhooks of jobs and topics, in any runtime with `fetch` and Web Crypto. */
export { type DeliveredEvent, isJobEvent, type JobDelivery, type JobEventType } from './event.ts';
export { DeliveryRejected, type RejectionCode } from './rejected.ts';
export { type Received, type ReceivedHeaders, type VerifyOptions, verifyDelivery } from './verify.ts';
