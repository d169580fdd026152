import { describeComputeOverAWire } from '@dstack/backend-base/conformance';
import { startVastaiWorld } from './support/vastai-world.js';

describeComputeOverAWire('vastai', () => startVastaiWorld());
