import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { script } from './script.ts';
import { startModelEndpoint } from './server.ts';

/**
 * `node local-model/main.ts [--port 8377] [--script steps.json] [--key KEY]…`: runs the scripted model endpoint until it is
 * interrupted.
 */
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8377' },
    script: { type: 'string' },
    key: { type: 'string', multiple: true },
  },
});

const steps = values.script === undefined ? undefined : script.parse(JSON.parse(await readFile(values.script, 'utf8')));
const endpoint = await startModelEndpoint({
  port: Number(values.port),
  ...(steps === undefined ? {} : { script: steps }),
  ...(values.key === undefined ? {} : { keys: values.key }),
});
console.log(`The scripted model endpoint listens on ${endpoint.url}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void endpoint[Symbol.asyncDispose]());
}
