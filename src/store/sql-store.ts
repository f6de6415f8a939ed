import { appendAudit, auditOf } from './audit.ts';
import { updateRun, updateTask } from './changes.ts';
import type { Database } from './database.ts';
import { changeCircuit, circuitsBelow, findCircuits } from './circuits.ts';
import { findEffect, recordIntent, recordResult } from './effects.ts';
import { createDeliverySaver } from './delivery-saver.ts';
import {
  failDelivery,
  knownDeliveries,
  lanesDue,
  pendingDeliveries,
  pruneDeliveries,
  settleDelivery,
} from './inbox.ts';
import { findKey, listKeys, removeKey, saveKey } from './keys.ts';
import { claimRun, heldLeases, releaseLease, releaseLeasesOf, renewLease } from './leases.ts';
import { findMarks, marksBelow, pruneMarks, setMark } from './marks.ts';
import { giveOrder, ordersOf } from './orders.ts';
import { createRun, findRun, listRuns, requestStop } from './runs.ts';
import { findSessions, saveSession, sessionsOf } from './sessions.ts';
import { recordSpent, spendingOf, spentByRun } from './spending.ts';
import type { Store } from './store.ts';
import { addTasks, tasksOf } from './tasks.ts';

/** The store over a database whose schema is up to date (`migrate`). Closing it closes the database. */
export function createStore(database: Database): Store {
  return {
    saveDelivery: createDeliverySaver(database),
    pendingDeliveries: async (now, limit, lane) => pendingDeliveries(database, now, limit, lane),
    lanesDue: async (now) => lanesDue(database, now),
    settleDelivery: async (guid, note) => settleDelivery(database, guid, note),
    failDelivery: async (guid, error, retryAt) => failDelivery(database, guid, error, retryAt),
    knownDeliveries: async (guids) => knownDeliveries(database, guids),
    pruneDeliveries: async (before) => pruneDeliveries(database, before),

    setMark: async (name, mark) => setMark(database, name, mark),
    findMarks: async (names) => findMarks(database, names),
    marksBelow: async (prefix) => marksBelow(database, prefix),
    pruneMarks: async (prefix, before) => pruneMarks(database, prefix, before),

    findCircuits: async (names) => findCircuits(database, names),
    circuitsBelow: async (prefix) => circuitsBelow(database, prefix),
    changeCircuit: async (name, change) => changeCircuit(database, name, change),

    saveKey: async (key) => saveKey(database, key),
    listKeys: async () => listKeys(database),
    findKey: async (installationId, protocol) => findKey(database, installationId, protocol),
    removeKey: async (installationId, protocol) => removeKey(database, installationId, protocol),

    createRun: async (run, tasks) => createRun(database, run, tasks),
    findRun: async (id) => findRun(database, id),
    listRuns: async (filter = {}) => listRuns(database, filter),
    tasksOf: async (id) => tasksOf(database, id),
    sessionsOf: async (id, task) => sessionsOf(database, id, task),
    findSessions: async (name) => findSessions(database, name),
    requestStop: async (id, stop) => requestStop(database, id, stop),
    giveOrder: async (id, order) => giveOrder(database, id, order),
    ordersOf: async (id, after) => ordersOf(database, id, after),

    claimRun: async (id, owner, now, ttlMs) => claimRun(database, id, owner, now, ttlMs),
    renewLease: async (lease, now, ttlMs) => renewLease(database, lease, now, ttlMs),
    releaseLease: async (lease) => releaseLease(database, lease),
    releaseLeasesOf: async (owner) => releaseLeasesOf(database, owner),
    heldLeases: async (now) => heldLeases(database, now),

    updateRun: async (lease, change) => updateRun(database, lease, change),
    updateTask: async (lease, key, change) => updateTask(database, lease, key, change),
    addTasks: async (lease, tasks) => addTasks(database, lease, tasks),
    saveSession: async (lease, session) => saveSession(database, lease, session),
    recordIntent: async (lease, effect) => recordIntent(database, lease, effect),
    recordResult: async (lease, key, result) => recordResult(database, lease, key, result),
    findEffect: async (id, key) => findEffect(database, id, key),

    recordSpent: async (spent) => recordSpent(database, spent),
    spendingOf: async (of) => spendingOf(database, of),
    spentByRun: async (id) => spentByRun(database, id),

    audit: async (entry) => appendAudit(database, entry),
    auditOf: async (id) => auditOf(database, id),

    ping: async () => {
      await database.query('SELECT 1');
    },
    close: async () => database.close(),
  };
}
