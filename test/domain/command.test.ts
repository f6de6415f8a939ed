import { assert, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { helpText, parseCommand } from '../../src/domain/command.ts';

describe('commands', () => {
  it.each([
    ['/maestro run', { kind: 'run', instructions: '' }],
    ['/maestro  run  ', { kind: 'run', instructions: '' }],
    ['/Maestro RUN', { kind: 'run', instructions: '' }],
    [
      '/maestro run playbook=.maestro/playbooks/a.md',
      { kind: 'run', playbook: '.maestro/playbooks/a.md', instructions: '' },
    ],
    [
      '/maestro run provider=codex model=gpt-5.2',
      { kind: 'run', provider: 'codex', model: 'gpt-5.2', instructions: '' },
    ],
    ['/maestro run playbook="a b.md" model=\'m\'', { kind: 'run', playbook: 'a b.md', model: 'm', instructions: '' }],
    ['/maestro run PROVIDER=claude', { kind: 'run', provider: 'claude', instructions: '' }],
    [
      '/maestro run\r\nKeep the API.\r\n\r\nAnd the docs.',
      { kind: 'run', instructions: 'Keep the API.\n\nAnd the docs.' },
    ],
    [
      '/maestro run resume=ses_dfa025943ffe9D7LurpWcqprsI',
      { kind: 'run', resume: 'ses_dfa025943ffe9D7LurpWcqprsI', instructions: '' },
    ],
    ['/maestro run\n> quoted\nmine', { kind: 'run', instructions: 'mine' }],
    ['/maestro run\n\n/maestro stop', { kind: 'run', instructions: '/maestro stop' }],
    ['/maestro stop', { kind: 'stop', reason: '' }],
    ['/maestro stop wrong branch', { kind: 'stop', reason: 'wrong branch' }],
    ['/maestro plan', { kind: 'plan', instructions: '' }],
    ['/maestro plan playbook=a.md\nBe brief.', { kind: 'plan', playbook: 'a.md', instructions: 'Be brief.' }],
    ['/maestro approve `ABC2def`', { kind: 'approve', hash: 'abc2def' }],
    ['/maestro stop now', { kind: 'stop', reason: '' }],
    ['/maestro stop now: wrong branch', { kind: 'stop', reason: 'wrong branch' }],
    ['/maestro stop nowhere to go', { kind: 'stop', reason: 'nowhere to go' }],
    ['/maestro exec npm test', { kind: 'exec', command: 'npm test' }],
    ['/maestro exec playbook=a "b c" && x', { kind: 'exec', command: 'playbook=a "b c" && x' }],
    ['/maestro exec `npm test`', { kind: 'exec', command: 'npm test' }],
    ['/maestro exec echo `date`', { kind: 'exec', command: 'echo `date`' }],
    ['/maestro exec\r\ncd web\r\nnpm test\r\n', { kind: 'exec', command: 'cd web\nnpm test' }],
    ['/maestro exec\n\n```sh\n  a\n> b\n```\nThanks.', { kind: 'exec', command: '  a\n> b' }],
    ['/maestro exec\nPlease:\n\n~~~~\na\n~~~\nb\n~~~~', { kind: 'exec', command: 'a\n~~~\nb' }],
    ['/maestro exec ```\na\nb\n```', { kind: 'exec', command: 'a\nb' }],
    ['/maestro exec ```npm test```', { kind: 'exec', command: 'npm test' }],
    ['/maestro exec\n> quoted\nmine', { kind: 'exec', command: 'mine' }],
    ['/maestro exec\n```\nnot closed', { kind: 'exec', command: 'not closed' }],
    ['/maestro exec a\0b', { kind: 'exec', command: 'ab' }],
    ['/maestro explain', { kind: 'explain' }],
    ['/maestro status', { kind: 'status' }],
    ['/maestro help', { kind: 'help' }],
    ['/maestro', { kind: 'help' }],
    ['/maestro\tstatus', { kind: 'status' }],
    ['/maestro add Update the changelog', { kind: 'add', text: 'Update the changelog' }],
    ['/maestro add\r\nPaint it.\r\nIn blue.', { kind: 'add', text: 'Paint it.\nIn blue.' }],
    ['/maestro resume', { kind: 'resume' }],
    ['/maestro resume budget=$5', { kind: 'resume', budget: { usd: 5 } }],
    ['/maestro resume budget="$2.50, 500k tokens"', { kind: 'resume', budget: { usd: 2.5, tokens: 500_000 } }],
    ['/maestro resume budget=2h', { kind: 'resume', budget: { ms: 7_200_000 } }],
  ])('%j', (body, command) => {
    expect(parseCommand(body)).toEqual(command);
  });

  it.each([
    '',
    'maestro run',
    ' /maestro run',
    '\n/maestro run',
    'Please /maestro run',
    'Text\n/maestro run',
    '> /maestro run',
    '`/maestro run`',
    '```\n/maestro run\n```',
    '    /maestro run',
    '/maestros run',
    '/maestro-run',
    '/maestro:run',
  ])('%j is none', (body) => {
    expect(parseCommand(body)).toBeUndefined();
  });

  it.each([
    ['/maestro dance', 'dance'],
    ['/maestro run!', 'run!'],
    ['/maestro constructor', 'constructor'],
  ])('%j has an unknown verb', (body, verb) => {
    expect(parseCommand(body)).toEqual({ kind: 'unknown', verb });
  });

  it.each([
    ['/maestro run fast', /takes .*here is `fast`/],
    ['/maestro run budget=5', /here is `budget`/],
    ['/maestro resume budget=lots', /`budget` must be an amount, like `budget=\$5`/],
    ['/maestro resume budget=-5', /`budget` must be an amount/],
    ['/maestro resume now', /takes `budget=`, and here is `now`\.$/],
    ['/maestro run playbook=', /here is `playbook=`/],
    ['/maestro run playbook=""', /`playbook` has no value/],
    ['/maestro run model="a', /here is `model="a`/],
    ['/maestro run model=a model=b', /`model` is given twice/],
    ['/maestro run provider=$(id)', /`provider` must be a plain name/],
    ['/maestro run model=--flag', /`model` must be a plain name/],
    ['/maestro run playbook=../x.md', /path inside the repository/],
    ['/maestro run playbook=/etc/x.md', /path inside the repository/],
    ['/maestro status now', /takes no arguments/],
    [`/maestro run ${'a'.repeat(3_000)}`, /too long/],
    ['/maestro run __proto__=x', /takes/],
    ['/maestro exec', /like `\/maestro exec npm test`/],
    ['/maestro exec\n> only quoted', /Say what to run/],
    ['/maestro exec\n```\n \n```', /Say what to run/],
    ['/maestro exec npm test\nLet us see.', /Say one thing to run/],
    ['/maestro exec\n```\na\n```\n```\nb\n```', /Say one thing to run/],
    [`/maestro exec\n${'a'.repeat(8_001)}`, /may have 8000 characters/],
    [`/maestro exec ${'a'.repeat(3_000)}`, /too long/],
  ])('%j is refused with what is wrong', (body, message) => {
    expect(parseCommand(body)).toMatchObject({ kind: 'invalid', message: expect.stringMatching(message) });
  });

  it('never throw', () => {
    assert(
      property(string({ unit: 'binary' }), (text) => {
        parseCommand(text);
        parseCommand(`/maestro ${text}`);
        parseCommand(`/maestro run ${text}`);
        parseCommand(`/maestro exec ${text}`);
      }),
    );
  });

  it('are all in the help', () => {
    for (const verb of ['run', 'exec', 'stop', 'status', 'help']) expect(helpText()).toContain(`/maestro ${verb}`);
  });
});
