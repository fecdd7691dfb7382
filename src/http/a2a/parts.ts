/** The arguments of a skill in the parts of a message: one part with data, one file, or one of each. */
import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import { isObject } from '../../core/http/json.ts';
import { once } from '../../core/once.ts';
import { isKeyFault } from '../mcp/arguments.ts';
import type { JobStarter } from '../mcp/tool.ts';
import type { Fault, Problem } from '../problem.ts';
import { invalidRequest } from '../submit/options.ts';

const PARTS = '/message/parts';

/** Protobuf's JSON leaves an empty text out, or sends it, or `null`. */
export const optionalText = () =>
	z
		.string()
		.nullish()
		.transform((text) => text || undefined);

export const MessagePart = once(() =>
	z.looseObject({
		text: optionalText(),
		data: z.unknown().optional(),
		raw: optionalText(),
		url: optionalText(),
		mediaType: optionalText(),
	}),
);

type Part = z.output<ReturnType<typeof MessagePart>>;

export interface PartsReading {
	readonly arguments: Readonly<Record<string, unknown>>;
	/** The place in the message of a fault in the arguments. */
	readonly locate: (fault: Fault) => Fault;
}

/** @throws {Problem} `InvalidRequest` */
export function readParts(parts: readonly Part[], { wrapsInput }: Pick<JobStarter, 'wrapsInput'>): PartsReading {
	const data = placesWith(parts, ({ data }) => data !== undefined);
	const files = placesWith(parts, ({ raw, url }) => raw !== undefined || url !== undefined);
	if (data.length > 1 || files.length > 1 || data.length + files.length !== parts.length)
		throw invalidParts(PARTS, 'expected one part with data, or one file, or one of each');
	const [[dataPlace, dataPart] = []] = data;
	const [[filePlace, filePart] = []] = files;
	const file = filePart && readFilePart(filePlace ?? PARTS, filePart);
	const given = dataPart?.data;
	const isWhole = dataPart === undefined || isObject(given);
	if (!isWhole && !wrapsInput) throw invalidParts(`${dataPlace}/data`, 'expected an object');
	const named = isObject(given) ? given : defined({ input: given });
	if (file && Object.hasOwn(named, 'file'))
		throw invalidParts(PARTS, 'expected the file either in the data or as a part');
	const dataPointer = dataPlace && `${dataPlace}/data`;
	return {
		arguments: { ...named, ...defined({ file }) },
		locate: (fault) => locateFault(fault, { filePlace, dataPointer, isWhole }),
	};
}

function placesWith(
	parts: readonly Part[],
	isWanted: (part: Part) => boolean,
): (readonly [place: string, part: Part])[] {
	return parts.flatMap((part, index) => (isWanted(part) ? [[`${PARTS}/${index}`, part] as const] : []));
}

function readFilePart(place: string, { raw: base64, url, mediaType }: Part): object {
	if (base64 !== undefined && url !== undefined) throw invalidParts(place, 'expected either raw or url');
	if (base64 !== undefined && mediaType === undefined)
		throw invalidParts(`${place}/mediaType`, 'expected a media type such as image/png');
	return defined({ base64, url, mediaType });
}

function invalidParts(pointer: string, message: string): Problem {
	return invalidRequest('The message is not valid', [{ pointer, message }]);
}

interface Places {
	readonly filePlace: string | undefined;
	readonly dataPointer: string | undefined;
	/** Whether the data has all arguments but the file. Otherwise it is the input. */
	readonly isWhole: boolean;
}

function locateFault(fault: Fault, { filePlace, dataPointer, isWhole }: Places): Fault {
	const { message } = fault;
	if (isKeyFault(fault)) return { pointer: '/message/messageId', message };
	if (!('pointer' in fault)) return fault;
	const { pointer } = fault;
	if (filePlace !== undefined && /^\/file(?:\/|$)/.test(pointer))
		return { pointer: filePlace + pointer.slice('/file'.length).replace(/^\/base64$/, '/raw'), message };
	if (dataPointer === undefined) return { pointer: PARTS, message };
	return { pointer: dataPointer + (isWhole ? pointer : pointer.replace(/^\/input(?=\/|$)/, '')), message };
}
