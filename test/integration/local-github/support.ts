import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/rest';
import { onTestFinished } from 'vitest';
import { startLocalGithub } from '../../../local-github/server.ts';
import type { LocalGithub, LocalGithubOptions } from '../../../local-github/server.ts';

const run = promisify(execFile);

/** The owner and name of the repository most tests use. */
export const DEMO = { owner: 'acme', repo: 'demo' } as const;

/** A local GitHub that ends with the test. */
export async function local(options: LocalGithubOptions = {}): Promise<LocalGithub> {
  const github = await startLocalGithub(options);
  onTestFinished(async () => await github.close());
  return github;
}

/** Octokit as a person or with any token; undefined is nobody. */
export function octokitWith(apiUrl: string, token?: string): Octokit {
  return new Octokit({ baseUrl: apiUrl, ...(token === undefined ? {} : { auth: token }), log: QUIET });
}

const nothing = (): void => undefined;
const QUIET = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Octokit as the App's installation, or, without an installation id, as the App itself. */
export function octokitOf(github: LocalGithub, installationId?: number): Octokit {
  return new Octokit({
    baseUrl: github.apiUrl,
    log: QUIET,
    authStrategy: createAppAuth,
    auth: {
      appId: github.app.id,
      privateKey: github.app.privateKey,
      ...(installationId === undefined ? {} : { installationId }),
    },
  });
}

/** A directory that goes with the test. */
export async function scratch(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'local-github-test-'));
  onTestFinished(async () => await rm(directory, { recursive: true, force: true }));
  return directory;
}

export interface GitResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs git with an identity and without the machine's configuration; any exit code resolves. */
export async function git(directory: string, ...command: readonly string[]): Promise<GitResult> {
  const identity = ['-c', 'user.name=Will', '-c', 'user.email=will@example.com', '-c', 'commit.gpgsign=false'];
  try {
    const { stdout, stderr } = await run('git', [...identity, ...command], {
      cwd: directory,
      env: {
        PATH: process.env['PATH'],
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_TERMINAL_PROMPT: '0',
        LC_ALL: 'C',
      },
      maxBuffer: 64 * 1024 * 1024,
    });
    return { code: 0, stdout: stdout.trim(), stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout: stdout.trim(), stderr };
  }
}

/** The same, but throws with git's own words unless it succeeds. */
export async function mustGit(directory: string, ...command: readonly string[]): Promise<string> {
  const result = await git(directory, ...command);
  if (result.code !== 0) throw new Error(`git ${command.join(' ')} ended with ${result.code}: ${result.stderr}`);
  return result.stdout;
}

export interface ReceivedHook {
  readonly headers: IncomingHttpHeaders;
  readonly raw: Buffer;
  readonly event: string;
  readonly payload: Record<string, unknown>;
}

/** Takes webhooks until the test ends. `status` may be changed at any time. */
export async function hookReceiver(): Promise<{ url: string; received: ReceivedHook[]; status: number }> {
  const received: ReceivedHook[] = [];
  const receiver = { url: '', received, status: 202 };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks);
      received.push({
        headers: request.headers,
        raw,
        event: String(request.headers['x-github-event']),
        payload: JSON.parse(raw.toString('utf8')) as Record<string, unknown>,
      });
      response.writeHead(receiver.status).end('noted');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`;
  return receiver;
}

/** The refusal of a call that must be refused. */
export async function refused(
  call: Promise<unknown>,
): Promise<{ status: number; message: string; errors: unknown; headers: Record<string, string | number | undefined> }> {
  try {
    await call;
  } catch (error) {
    const { status, response } = error as {
      status: number;
      response?: { data: { message: string; errors?: unknown }; headers: Record<string, string | number | undefined> };
    };
    if (response === undefined) throw error;
    return { status, message: response.data.message, errors: response.data.errors, headers: response.headers };
  }
  throw new Error('The call was to be refused, but it went through.');
}
