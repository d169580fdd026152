import { isRunSpecError, parseFleetSpecValue, parseRunSpecValue, type Parsed, type Wire } from '@dstack/core';
import { ClientError, InvalidRequestError } from '../http/api-errors.js';

/** @throws {InvalidRequestError} for a wrong form, {ClientError} for a wrong meaning */
export function parseRunSpec(value: unknown, loc: readonly string[]): Wire.RunSpec {
  return acceptParsed(parseRunSpecValue(value), loc);
}

/** A spec that was accepted once, in the form of today where it has one: another version may have had other rules. */
export function readSpec(value: Wire.RunSpecInput): Wire.RunSpec {
  const parsed = parseRunSpecValue(value);
  // The parse boundary: what does not parse is only compared, and is never what is stored now.
  return parsed.ok ? parsed.value : (value as Wire.RunSpec);
}

export function parseFleetSpec(value: unknown, loc: readonly string[]): Wire.FleetSpec {
  return acceptParsed(parseFleetSpecValue(value), loc);
}

/** The value, or what is wrong with it as the answer to its sender. */
export function acceptParsed<T>(parsed: Parsed<T>, loc: readonly string[]): T {
  if (parsed.ok) return parsed.value;
  if (parsed.issues.every((issue) => issue.kind === 'semantic')) {
    const text = parsed.issues.map((issue) => issue.message).join('\n');
    throw new ClientError(
      text,
      'error',
      parsed.issues.map(({ path, message }) => ({ path: path.map(String), message })),
    );
  }
  throw new InvalidRequestError(
    parsed.issues.map((issue) => ({
      type: issue.unknownKey === true ? 'extra_forbidden' : 'value_error',
      loc: ['body', ...loc, ...issue.path],
      msg: issue.suggestion === undefined ? issue.message : `${issue.message}, did you mean ${issue.suggestion}?`,
      input: null,
    })),
  );
}

/** A spec that cannot be run is the sender's to change: 400, with every issue. */
export function explainRunSpecErrors<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isRunSpecError(error)) throw error;
    throw new ClientError(
      error.message,
      'error',
      error.issues.map(({ path, message }) => ({ path: path.map(String), message })),
    );
  }
}
