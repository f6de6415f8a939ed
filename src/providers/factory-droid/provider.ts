import { concludeByEnd } from '../conclude.ts';
import type { Provider } from '../provider.ts';
import { droidCommand } from './command.ts';
import { decodeDroid } from './decode.ts';
import { droidSessions } from './sessions.ts';

/** Factory's Droid, driven headless with a model of the operator's own. Facts as measured with 0.225.2. */
export const factoryDroid: Provider = {
  id: 'factory-droid',
  title: 'Factory Droid',
  protocol: 'openai',
  cli: { package: '@factory/cli', version: '0.225.2' },
  hosts: [],
  usesTools: true,
  sessions: droidSessions,
  command: droidCommand,
  decode: decodeDroid,
  conclude: (seen, code, refusal) => concludeByEnd(seen, code, { title: 'Factory Droid', refusal }),
};
