import { describe, inject } from 'vitest';
import { describeWith } from '../setup/require.ts';
import { runnerContract } from './runner/contract.ts';
import { installDocker, installLocal } from './runner/harness.ts';

describeWith(['docker', 'agentImage'], 'docker runner', () => {
  runnerContract(installDocker({ host: inject('dockerHost') ?? '', image: inject('agentImage') ?? '' }));
});

describe('local runner', () => {
  runnerContract(installLocal);
});
