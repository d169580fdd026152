import { ConfigurationError } from './configuration-error.js';
import * as duration from './fields/duration.js';
import * as reference from './fields/entity-reference.js';
import * as file from './fields/file-mapping.js';
import * as mount from './fields/mount-point.js';
import * as port from './fields/port.js';
import * as repo from './fields/repo-spec.js';
import { Mismatch } from './schema/mismatch.js';

/** The grammars of single fields, for values given outside a file. @throws {ConfigurationError} */
export const parseDuration = standalone(duration.parseDuration);
export const parseEntityReference = standalone(reference.parseEntityReference);
export const parseFileMapping = standalone(file.parseFileMapping);
export const parseMountPoint = standalone(mount.parseMountPoint);
export const parsePort = standalone(port.parsePort);
export const parseRepoSpec = standalone(repo.parseRepoSpec);

function standalone<A, T>(read: (written: A) => T): (written: A) => T {
  return (written) => {
    try {
      return read(written);
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      const { message, expected, suggestion } = error;
      const hints = {
        ...(expected === undefined ? {} : { expected }),
        ...(suggestion === undefined ? {} : { suggestion }),
      };
      throw new ConfigurationError([{ kind: 'schema', path: [], message, ...hints }]);
    }
  };
}
