import type { SessionFiles } from '../provider.ts';

/** One database of all conversations. In another directory than its own, 1.18.33 hangs over one. */
export const opencodeSessions: SessionFiles = {
  directories: ['.local/share/opencode'],
  without: [
    '.local/share/opencode/snapshot',
    '.local/share/opencode/log',
    '.local/share/opencode/bin',
    '.local/share/opencode/auth.json',
  ],
  elsewhere: false,
};
