import { describe, expect, it } from 'vitest';
import { parseSettingsFile } from '../../src/playbook/settings-file.ts';

describe('.github/maestro.yml', () => {
  it.each(['\n', '\r\n', '\r'])('gives the settings of front matter, with line ends %j', (end) => {
    const text = [
      '# yaml-language-server: $schema=https://example.org/maestro.schema.json',
      '---',
      'provider: [claude-code, codex]',
      'verify:',
      '  - npm test',
      'timeout: 20m',
      'hosts: []',
      'reviewers: ["@octocat"]',
    ].join(end);
    expect(parseSettingsFile(text)).toEqual({
      settings: {
        provider: 'claude-code',
        fallbacks: ['codex'],
        verify: ['npm test'],
        timeout: 1_200_000,
        hosts: [],
        reviewers: ['octocat'],
      },
      problems: [],
    });
  });

  it.each(['', '# nothing yet\n', '---\n', 'null\n', '\uFEFF'])('may say nothing: %j', (text) => {
    expect(parseSettingsFile(text)).toEqual({ settings: {}, problems: [] });
  });

  it.each<[string, number, number, RegExp, RegExp]>([
    ['verfiy: npm test', 1, 1, /`verfiy` is not a setting of `\.github\/maestro\.yml`/, /`verify`/],
    ['\uFEFFverfiy: npm test', 1, 1, /`verfiy`/, /`verify`/],
    ['effort: high\nschedule: "0 6 * * 1"', 2, 1, /`schedule` is not a setting/, /front matter of the playbook/],
    ['effort: high\r\ntimeout: 20', 2, 10, /value of `timeout`/, /`timeout: 20m`/],
    ['verify:\n  - npm test\n  - 3', 2, 3, /value of `verify`/, /`verify: npm test`/],
    ['a: 1\n---\nb: 2\n', 2, 1, /more than one YAML document/, /Remove this line/],
    ['verify: [npm test', 1, 18, /The file is not valid YAML/, /key: value/],
    ['- verify', 1, 1, /The file is not a list of settings/, /key: value/],
    ['verify: &a x\nsetup: *a', 1, 12, /YAML anchor/, /value itself/],
    ['verify: caf\uFFFD', 1, 12, /not valid text/, /UTF-8/],
    [`# ${'x'.repeat(17_000)}`, 1, 1, /larger than 16 kB/, /scripts in files/],
  ])('names line, column and what to write instead: %j', (text, line, column, message, fix) => {
    const { settings, problems } = parseSettingsFile(text);
    expect(settings).toEqual({});
    expect(problems[0]).toEqual({
      line,
      column,
      message: expect.stringMatching(message) as string,
      fix: expect.stringMatching(fix) as string,
    });
  });
});
