import type { Repository } from '../../domain/repository.ts';
import type { CheckAnnotation, CheckRequest } from '../forge.ts';
import type { ForgeContext } from './context.ts';
import { ensure } from './ensure.ts';
import { hasNext } from './pages.ts';

/** GitHub's limits: annotations per request, and characters of a summary or text, a title and a message. */
const ANNOTATIONS = 50;
const TEXT_LENGTH = 65_535;
const TITLE_LENGTH = 255;
const MESSAGE_LENGTH = 16_000;

interface CheckRun {
  readonly id: number;
  readonly external_id: string | null;
  readonly status: string;
  readonly conclusion: string | null;
  readonly details_url: string | null;
  readonly output: {
    readonly title: string | null;
    readonly summary: string | null;
    readonly text: string | null;
    readonly annotations_count: number;
  };
  readonly app: { readonly id: number } | null;
}

/** Makes the verb that keeps the one check run with a key on a commit, known by its `external_id`. */
export function createChecks(context: ForgeContext) {
  async function ensureCheck(repository: Repository, request: CheckRequest): Promise<void> {
    await context.serially(`check/${repository.id}/${request.headSha}/${request.key}`, async () => {
      const there = request.unlessAbsent === true ? await findCheck(repository, request) : undefined;
      if (request.unlessAbsent === true && there === undefined) return;
      let check =
        there ??
        (await ensure({
          pause: (attempt) => context.client.pause(attempt),
          find: () => findCheck(repository, request),
          make: async () => {
            const { data } = await context.client.write(
              repository,
              'check',
              `add check ${request.name}`,
              (github, at) =>
                github.rest.checks.create({ ...at, ...fields(context, request, 0), head_sha: request.headSha }),
            );
            return withProgress(data, 0, request);
          },
        }));
      const missing = (request.annotations ?? []).length - check.output.annotations_count;
      const steps = Math.max(isAsWanted(context, check, request) ? 0 : 1, Math.ceil(missing / ANNOTATIONS));
      for (let step = 0; step < steps; step++) check = await update(repository, request, check);
    });
  }

  /** One step towards what is wanted: the fields, and the next annotations, which GitHub adds to those it has. */
  function update(repository: Repository, request: CheckRequest, check: CheckRun): Promise<CheckRun> {
    const before = check.output.annotations_count;
    return ensure({
      pause: (attempt) => context.client.pause(attempt),
      looked: true,
      find: async () => {
        const current = await findCheck(repository, request);
        if (current === undefined) return undefined;
        const changed = current.output.annotations_count > before || isAsWanted(context, current, request);
        return changed ? current : undefined;
      },
      make: async () => {
        const { data } = await context.client.write(repository, 'check', `update check ${request.name}`, (github, at) =>
          github.rest.checks.update({ ...at, check_run_id: check.id, ...fields(context, request, before) }),
        );
        return withProgress(data, before, request);
      },
    });
  }

  async function findCheck(repository: Repository, request: CheckRequest): Promise<CheckRun | undefined> {
    const { appId } = await context.identity(repository);
    for (let page = 1; ; page++) {
      const { data, headers } = await context.client.read(
        repository,
        `list checks of ${request.headSha}`,
        (github, at) =>
          github.rest.checks.listForRef({
            ...at,
            ref: request.headSha,
            filter: 'all',
            app_id: appId,
            per_page: 100,
            page,
          }),
      );
      const runs = data.check_runs as readonly CheckRun[];
      const found = runs.find((check) => check.external_id === request.key && check.app?.id === appId);
      if (found !== undefined || !hasNext(headers.link)) return found;
    }
  }

  return { ensureCheck };
}

/** The reply to an update may still count only the annotations from before. */
function withProgress(check: CheckRun, before: number, request: CheckRequest): CheckRun {
  const sent = Math.min(ANNOTATIONS, (request.annotations ?? []).length - before);
  const annotations_count = Math.max(check.output.annotations_count, before + Math.max(0, sent));
  return { ...check, output: { ...check.output, annotations_count } };
}

function fields(context: ForgeContext, request: CheckRequest, annotated: number) {
  const output = wantedOutput(context, request);
  const annotations = (request.annotations ?? []).slice(annotated, annotated + ANNOTATIONS);
  return {
    name: request.name,
    external_id: request.key,
    ...(request.status === 'completed'
      ? { status: 'completed' as const, conclusion: request.conclusion ?? ('neutral' as const) }
      : { status: request.status }),
    ...(request.detailsUrl === undefined ? {} : { details_url: request.detailsUrl }),
    output: { ...output, annotations: annotations.map((annotation) => toGithub(context, annotation)) },
  };
}

function toGithub(context: ForgeContext, annotation: CheckAnnotation) {
  return {
    path: annotation.path,
    start_line: annotation.line,
    end_line: annotation.line,
    start_column: annotation.column,
    end_column: annotation.column,
    annotation_level: 'failure' as const,
    message: context.redact(annotation.message).slice(0, MESSAGE_LENGTH),
  };
}

function wantedOutput(context: ForgeContext, request: CheckRequest) {
  return {
    title: context.redact(request.title).slice(0, TITLE_LENGTH),
    summary: context.redact(request.summary).slice(0, TEXT_LENGTH),
    ...(request.text === undefined ? {} : { text: context.redact(request.text).slice(0, TEXT_LENGTH) }),
  };
}

function isAsWanted(context: ForgeContext, check: CheckRun, request: CheckRequest): boolean {
  const { title, summary, text } = wantedOutput(context, request);
  const conclusion = request.status === 'completed' ? (request.conclusion ?? 'neutral') : null;
  return (
    check.status === request.status &&
    check.conclusion === conclusion &&
    check.output.title === title &&
    check.output.summary === summary &&
    (text === undefined || check.output.text === text) &&
    check.output.annotations_count >= (request.annotations ?? []).length &&
    (request.detailsUrl === undefined || check.details_url === request.detailsUrl)
  );
}
