import { describe, expect, it } from 'vitest';
import { auditPlace } from './audit.ts';
import { KEY_CANARY } from './stage.ts';
import { useHarness } from './suite.ts';

describe('the audit after each test', () => {
  const suite = useHarness({ runner: 'local' });

  it('finds nothing where all is well, and names what was broken where it was', async () => {
    const place = await suite.place({ audited: false });
    const { github } = suite.harness();
    const issue = await place.issue('One thing', '`scripted: write a.txt a`');
    await place.label(issue);
    const run = await place.settledRun();
    await auditPlace(suite.harness(), place);

    const [status = ''] = await place.answers(issue);
    const asBot = async (purpose: string, path: string, body: unknown): Promise<void> => {
      const token = github.control
        .requests()
        .filter((exchange) => exchange.path.endsWith('/access_tokens'))
        .map(({ responseBody }) => responseBody as { token: string; permissions: Record<string, string> })
        .findLast(({ permissions }) => permissions[purpose] === 'write')?.token;
      const reply = await fetch(`${github.apiUrl}/repos/${place.fullName}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token ?? ''}` },
        body: JSON.stringify(body),
      });
      expect(reply.status).toBe(201);
    };
    await asBot('issues', `/issues/${issue}/comments`, { body: `${status}\n${KEY_CANARY}` });
    await asBot('contents', '/git/refs', { ref: 'refs/heads/elsewhere', sha: run.tip });
    await place.push('theirs.txt', `Maestro-Run: ${run.id}\n`, { branch: run.branch });

    const found = await auditPlace(suite.harness(), place).then(
      () => '',
      (error: unknown) => String(error),
    );
    expect(found).toContain(`run ${run.id} has 2 status comments`);
    expect(found).toContain('the bot moved refs/heads/elsewhere');
    expect(found).toContain(`${KEY_CANARY.slice(0, 8)}… is in the body of POST`);
  });
});
