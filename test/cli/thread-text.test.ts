import { describe, expect, it } from 'vitest';
import { readable, threadText } from '../../src/cli/demo/conduct/thread-text.ts';

describe('a thread as text', () => {
  it('reads as people see it', () => {
    expect(
      readable(
        '<!-- maestro:x -->**Maestro** waits for &#64;alice\r\n\r\n\r\n[`abc`](http://127.0.0.1/x)\n\n<details><summary>Facts</summary>\n\n| a |\n\n</details>\n\n<sub>by alice</sub>',
      ),
    ).toBe('**Maestro** waits for @alice\n`abc`\n▸ Facts\nby alice');
  });

  it('names who wrote what, and cuts what is long', () => {
    const user = { login: 'alice' };
    const text = threadText([
      { id: 1, user, body: 'One' },
      { id: 2, user, body: Array.from({ length: 40 }, (_, at) => `${at} ${'x'.repeat(300)}`).join('\n') },
    ]);

    expect(text).toContain('  │ alice:\n  │   One\n  │\n  │ alice:\n  │   0 xxx');
    expect(text.split('\n').every((line) => line.length < 160)).toBe(true);
    expect(text.endsWith('  │   …')).toBe(true);
  });
});
