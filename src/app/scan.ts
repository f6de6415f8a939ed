import { fullName, type Repository } from '../domain/repository.ts';
import { ForgeError, type InstalledRepository } from '../forge/forge.ts';
import { around } from '../telemetry/failpoint.ts';
import { laneOf } from './delivery-lane.ts';
import { asPayload, type FoundEvent } from './as-payload.ts';
import { findEndings } from './endings.ts';
import { findCommands, findLabelings, findPushes } from './found.ts';
import { foundGuid, requestNames } from './heard.ts';
import type { ScanDeps, Span } from './scan-deps.ts';

/** How far back a repository is looked through that was never looked through before. Milliseconds. */
const FIRST_LOOK_MS = 7 * 24 * 3_600_000;
/** Clocks may differ by ten minutes (faults F27): this much before the last look is looked at again. */
const OVERLAP_MS = 15 * 60_000;

/**
 * Looks through every repository for requests whose webhook never came, and puts each into the inbox as the delivery it would have
 * been. One repository that can't be looked through does not keep the others from it. Says how many requests were found.
 */
export async function scan(deps: ScanDeps, signal?: AbortSignal): Promise<number> {
  const { store, clock, log } = deps;
  const all = await deps.survey.installedRepositories();
  const marks = await store.findMarks(all.map(({ repository }) => markOf(repository)));
  const lastAt = ({ repository }: InstalledRepository): number => marks.get(markOf(repository))?.at ?? 0;
  let found = 0;
  // The one nobody looked at for longest comes first, so that a limit half way starves none.
  for (const one of all.toSorted((a, b) => lastAt(a) - lastAt(b))) {
    if (signal?.aborted === true) break;
    const now = clock.now();
    const last = marks.get(markOf(one.repository))?.value;
    const span: Span = {
      from: Math.max(one.installedAt, typeof last === 'number' ? last - OVERLAP_MS : now - FIRST_LOOK_MS),
      to: now - deps.graceMs,
      first: typeof last !== 'number',
    };
    try {
      found += await around('look', {
        perform: async () => {
          await deps.before?.(one.repository, span.from);
          return await scanRepository(deps, one.repository, span);
        },
        record: async () => await store.setMark(markOf(one.repository), { value: span.to, at: now }),
      });
    } catch (error) {
      if (error instanceof ForgeError && error.kind === 'limited') throw error;
      log.warn({ err: error, repository: fullName(one.repository) }, 'repository could not be looked through');
    }
  }
  if (found > 0) log.info({ found }, 'requests found whose webhook did not come');
  return found;
}

function markOf(repository: Repository): string {
  return `scan/${repository.id}`;
}

async function scanRepository(deps: ScanDeps, repository: Repository, span: Span): Promise<number> {
  const found = [
    ...(await findEndings(deps, repository, span)),
    ...(await findLabelings(deps, repository, span)),
    ...(await findCommands(deps, repository, span)),
    ...(await findPushes(deps, repository, span)),
  ].toSorted((a, b) => a.at - b.at);
  let saved = 0;
  for (const event of found) if (await putIn(deps, event)) saved += 1;
  if (saved > 0) deps.wake();
  return saved;
}

async function putIn(deps: ScanDeps, found: FoundEvent): Promise<boolean> {
  const [name] = requestNames(found);
  if (name === undefined) return false;
  const { event, action, payload } = asPayload(found);
  const body = JSON.stringify(payload);
  const delivery = { guid: foundGuid(name), event, action, body, receivedAt: deps.clock.now(), lane: laneOf(payload) };
  const saved = await around('found', { perform: async () => await deps.store.saveDelivery(delivery) });
  return saved === 'saved';
}
