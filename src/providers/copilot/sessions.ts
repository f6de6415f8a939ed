import type { SessionFiles } from '../provider.ts';

/** One `session-state/<id>/` a conversation. */
export const copilotSessions: SessionFiles = {
  directories: ['.copilot/session-state'],
  without: ['.copilot/session-state/*.lock'],
  elsewhere: true,
};
