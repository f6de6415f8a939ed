import { parsePlaybook } from '../playbook/parse.ts';

export async function planCommand(options: {
  file: string;
  json: boolean;
  read: (path: string) => Promise<Buffer>;
  write: (text: string) => void;
}): Promise<number> {
  const playbook = parsePlaybook((await options.read(options.file)).toString('utf8'));
  options.write(`${JSON.stringify({ title: playbook.title, tasks: playbook.boxes, problems: playbook.problems })}\n`);
  return playbook.problems.length > 0 ? 2 : 0;
}
