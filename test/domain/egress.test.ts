import { describe, expect, it } from 'vitest';
import { parseEgressRule, sessionHosts, type EgressOf } from '../../src/domain/egress.ts';

const rules = [
  'packages.example.com',
  '*.cdn.example.com',
  'codex=api.example.net',
  'acme/shop=shop.internal.example',
  'Acme/*=acme.example',
].map((entry) => {
  const rule = parseEgressRule(entry);
  if (rule === undefined) throw new Error(entry);
  return rule;
});
const of: EgressOf = {
  provider: 'claude-code',
  repository: { owner: 'ACME', name: 'Shop' },
  asked: undefined,
  mayAdd: [],
};
const everywhere = ['packages.example.com', '*.cdn.example.com'];

describe('the hosts of a session', () => {
  it('are those for all, for its provider and for its repository', () => {
    expect(sessionHosts(rules, of)).toEqual([...everywhere, 'shop.internal.example', 'acme.example']);
    expect(sessionHosts(rules, { ...of, provider: 'codex', repository: { owner: 'octo', name: 'shop' } })).toEqual([
      ...everywhere,
      'api.example.net',
    ]);
  });

  it.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ['nothing', [], [], []],
    ['one of them', ['packages.example.com'], [], ['packages.example.com']],
    ['one below a suffix', ['a.cdn.example.com'], [], ['a.cdn.example.com']],
    ['a suffix above one of them', ['*.example.com'], [], everywhere],
    ['another host', ['evil.example', 'packages.example.com'], [], ['packages.example.com']],
    ['what only looks like one', ['packages.example.com.evil.example', 'xcdn.example.com', 'cdn.example.com'], [], []],
    ['what the operator lets playbooks add', ['a.new.example', 'evil.example'], ['*.new.example'], ['a.new.example']],
    [
      'more than the operator lets playbooks add',
      ['*.example'],
      ['*.new.example'],
      ['shop.internal.example', 'acme.example'],
    ],
  ])('where the playbook names %s', (_, asked, mayAdd, hosts) => {
    expect(sessionHosts(rules, { ...of, asked, mayAdd })).toEqual(hosts);
  });
});

it.each(['', '=x.example', 'a=b=c.example', 'https://x.example', 'x.example:443', 'a b', '*', '*.', 'acme/=x.example'])(
  '"%s" is no entry',
  (entry) => {
    expect(parseEgressRule(entry)).toBeUndefined();
  },
);
