import { expect, it } from 'vitest';
import { hasNoTasks } from '../../src/app/sources.ts';
import { parsePlaybook } from '../../src/playbook/parse.ts';
import { planTask } from '../../src/playbook/plan-task.ts';

it('is one task, whatever its example shows, and holds what the issue says', () => {
  const issue = { number: 7, title: 'Verify e-mail', body: 'Visitors *must*\n\nhave one.' };
  const text = planTask(issue, '.maestro/playbooks/verify-e-mail.md');
  expect(hasNoTasks(parsePlaybook(text))).toBe(true);
  expect(text).toContain('`.maestro/playbooks/verify-e-mail.md`');
  expect(text).toContain('no. 7: Verify e-mail\n\nVisitors *must*\n\nhave one.');
});
