import { z } from 'zod';
import { decodeJson } from './decode-json.ts';
import type { TokenAnswer } from './token-endpoint.ts';

/** The tokens of a person's login, as their CLI keeps them in a file. */
export interface Login {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** Which of the person's accounts requests are for, where that has to be said. */
  readonly account: string | undefined;
}

/** How one CLI keeps a login, and how its tokens are renewed and used. */
export interface LoginKind {
  /** As people call it. */
  readonly title: string;
  /** The command that makes the file anew. */
  readonly logIn: string;
  readonly tokenUrl: string;
  /** The CLI's own public id at that endpoint. */
  readonly clientId: string;
  /** Headers of a request beside the token. */
  readonly headers: (login: Login) => Readonly<Record<string, string>>;
  /** Undefined for a text that is no such file. */
  readonly read: (text: string) => Login | undefined;
  /** The file's new text: what is not ours to know stays as it is. `now` is epoch milliseconds. */
  readonly write: (text: string, answer: TokenAnswer, now: number) => string;
}

/** How long a token is good for whose answer does not say, in milliseconds. */
const HOUR_MS = 3_600_000;

const claudeFile = z.looseObject({
  claudeAiOauth: z.looseObject({
    accessToken: z.string().min(1),
    refreshToken: z.string().min(1),
    expiresAt: z.number(),
  }),
});

/** `~/.claude/.credentials.json` of Claude Code, for a Claude subscription. */
export const CLAUDE_LOGIN: LoginKind = {
  title: 'Claude',
  logIn: 'claude auth login',
  tokenUrl: 'https://platform.claude.com/v1/oauth/token',
  clientId: '9d1c250a-e61b-44d9-88ed-5944d1962f5e',
  headers: () => ({ 'anthropic-beta': 'oauth-2025-04-20' }),
  read(text) {
    const oauth = claudeFile.safeParse(decodeJson(text)).data?.claudeAiOauth;
    if (oauth === undefined) return undefined;
    const { accessToken, refreshToken, expiresAt } = oauth;
    return { accessToken, refreshToken, expiresAt, account: undefined };
  },
  write(text, answer, now) {
    const file = claudeFile.parse(decodeJson(text));
    const oauth = {
      ...file.claudeAiOauth,
      accessToken: answer.access_token,
      refreshToken: answer.refresh_token ?? file.claudeAiOauth.refreshToken,
      expiresAt: now + (answer.expires_in === undefined ? HOUR_MS : answer.expires_in * 1000),
    };
    return `${JSON.stringify({ ...file, claudeAiOauth: oauth })}\n`;
  },
};

const codexFile = z.looseObject({
  tokens: z.looseObject({
    access_token: z.string().min(1),
    refresh_token: z.string().min(1),
    id_token: z.string().optional(),
    account_id: z.string().nullish(),
  }),
});

/** `~/.codex/auth.json` of Codex, for a ChatGPT subscription. */
export const CODEX_LOGIN: LoginKind = {
  title: 'ChatGPT',
  logIn: 'codex login',
  tokenUrl: 'https://auth.openai.com/oauth/token',
  clientId: 'app_EMoamEEZ73f0CkXaXp7hrann',
  headers: ({ account }) => (account === undefined ? {} : { 'chatgpt-account-id': account }),
  read(text) {
    const tokens = codexFile.safeParse(decodeJson(text)).data?.tokens;
    if (tokens === undefined) return undefined;
    const { access_token: accessToken, refresh_token: refreshToken, account_id: account } = tokens;
    return { accessToken, refreshToken, expiresAt: endOf(accessToken) ?? 0, account: account ?? undefined };
  },
  write(text, answer, now) {
    const file = codexFile.parse(decodeJson(text));
    const tokens = {
      ...file.tokens,
      access_token: answer.access_token,
      refresh_token: answer.refresh_token ?? file.tokens.refresh_token,
      ...(answer.id_token === undefined ? {} : { id_token: answer.id_token }),
    };
    return `${JSON.stringify({ ...file, tokens, last_refresh: new Date(now).toISOString() }, undefined, 2)}\n`;
  },
};

/** When a JSON web token runs out, by its own word: epoch milliseconds. */
function endOf(token: string): number | undefined {
  const claims = decodeJson(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  const end = z.object({ exp: z.number() }).safeParse(claims).data?.exp;
  return end === undefined ? undefined : end * 1000;
}
