/** The task of an agent that is to write a playbook for an issue, as the text of an issue of one task. */
export function planTask(
  issue: { readonly number: number; readonly title: string; readonly body: string },
  path: string,
): string {
  return [
    `Write a playbook: the file \`${path}\`, which breaks down what the issue below asks for into tasks. Do none of that work yourself, and change no other file: another agent gets one task after another, each without knowing what was said about the others.`,
    'Look at the repository first, so that the tasks name the files and commands they are about.',
    'The file is markdown with one list of checkboxes:',
    [
      '```markdown',
      '---',
      'verify: npm test',
      '---',
      '# What it is about',
      '',
      'What every task should know.',
      '',
      '- [ ] First task, in one sentence',
      '  More about it, indented: where, how, and how to tell that it is done.',
      '- [ ] Second task',
      '```',
    ].join('\n'),
    'Each task is done in one sitting, leaves the repository working and makes one commit. Leave every box empty. The lines between `---` may be left out; with `verify`, name a command only if it is there and passes now. Maestro reads the file after you and says what it can not read.',
    `The issue, no. ${issue.number}: ${issue.title}`,
    issue.body,
  ].join('\n\n');
}
