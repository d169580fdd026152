/** What a program needs to try what the agent does with what it is sent, without an agent. */
export { extractTar } from './files/extract-tar.js';
export { UnsafeArchiveError } from './files/inside-root.js';
