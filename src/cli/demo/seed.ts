/** The playbook of the demonstration: five tasks of a small API. */
export const DEMO_PLAYBOOK = `# API Migration Tasks

- [ ] Update User model to include email verification fields
- [ ] Create database migration for new fields
- [ ] Add email verification endpoint to API
- [ ] Write integration tests for verification flow
- [ ] Update API documentation
`;

/** The issue of the demonstration: one task. */
export const DEMO_ISSUE = {
  title: 'Greet visitors by name',
  body: 'The start page says "Hello". It should say the name of whoever is logged in.\n\nKeep the plain greeting for visitors who are not.\n',
};

/**
 * What the scripted model answers a real agent: it has the agent's own shell tool write a note named after the task, then says it
 * is done. The task's title stands alone on the line after `# Task` in the prompt.
 */
export function demoScript(prompt: string): readonly { readonly text: string; readonly bash?: string }[] {
  const title = /^# Task\n(.*)$/m.exec(prompt)?.[1] ?? 'the task';
  const name =
    title
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .slice(0, 60)
      .replaceAll(/^-|-$/g, '') || 'task';
  const quoted = `'${title.replaceAll("'", `'\\''`)}'`;
  return [
    { text: `I will work on: ${title}`, bash: `mkdir -p notes && printf '# %s\\n' ${quoted} > notes/${name}.md` },
    { text: `Done: notes/${name}.md says what was asked.` },
  ];
}

/** Who uses the demonstration's repository, and where it is. */
export const DEMO_USER = 'alice';
export const DEMO_OWNER = 'octo';
export const DEMO_REPOSITORY = 'demo';

/** The repository as it is before anything happens. */
export const DEMO_FILES: Readonly<Record<string, string>> = {
  'README.md': '# Demo API\n\nA small API to show Maestro on.\n',
  'package.json': '{\n  "name": "demo-api",\n  "private": true,\n  "type": "module"\n}\n',
  'src/user.js':
    'export class User {\n  constructor({ id, email }) {\n    this.id = id;\n    this.email = email;\n  }\n}\n',
  'src/server.js':
    "import { createServer } from 'node:http';\n\ncreateServer((request, response) => response.end('Hello')).listen(8080);\n",
  'docs/api.md': '# API\n\n## GET /\n\nSays hello.\n',
};
