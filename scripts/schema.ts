import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingsFileSchema } from '../src/playbook/settings-file.ts';

/** Writes `docs/maestro.schema.json`, which editors check a `.github/maestro.yml` with. A test keeps it in step with the program. */
const file = join(import.meta.dirname, '../docs/maestro.schema.json');
writeFileSync(file, `${JSON.stringify(settingsFileSchema(), undefined, 2)}\n`);
process.stdout.write(`${file}\n`);
