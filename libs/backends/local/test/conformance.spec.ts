import { describeCompute } from '@dstack/backend-base/conformance';
import { startLocalWorld } from './local-world.js';

describeCompute('local', () => startLocalWorld());
