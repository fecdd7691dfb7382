/** The three reasons to reject an image. None is retryable, because the same bytes would fail again. */
import { TaskError } from '../../work/task.ts';

const STATUS_CONTENT_TOO_LARGE = 413;
const STATUS_UNSUPPORTED_MEDIA_TYPE = 415;
const STATUS_UNPROCESSABLE = 422;

/** The bytes are not a complete image: truncated, damaged, or not an image. */
export function invalidImage(message: string, cause?: unknown): TaskError {
	return new TaskError('InvalidImage', message, { retryable: false, status: STATUS_UNPROCESSABLE, cause });
}

/** A valid image of an unsupported kind. */
export function unsupportedImage(message: string): TaskError {
	return new TaskError('UnsupportedImage', message, { retryable: false, status: STATUS_UNSUPPORTED_MEDIA_TYPE });
}

/** An image, or a result, that would not fit in memory or take too long. */
export function imageTooLarge(message: string): TaskError {
	return new TaskError('ImageTooLarge', message, { retryable: false, status: STATUS_CONTENT_TOO_LARGE });
}
