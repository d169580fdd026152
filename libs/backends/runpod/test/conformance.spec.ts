import { describeComputeOverAWire } from '@dstack/backend-base/conformance';
import { startRunpodWorld } from './support/runpod-world.js';

describeComputeOverAWire('runpod', () => startRunpodWorld());
