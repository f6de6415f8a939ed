import { starting } from '../compose/start.ts';
import { runProcess } from '../process.ts';

await runProcess(starting('worker'));
