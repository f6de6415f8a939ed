import type { Database } from './database.ts';
import { storableText } from './storable.ts';
import type { StoredKey } from './store.ts';

/** As {@link Store.saveKey}. */
export async function saveKey(database: Database, key: StoredKey): Promise<void> {
  await database.query(
    `INSERT INTO maestro.keys (installation_id, protocol, sealed, set_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (installation_id, protocol) DO UPDATE SET sealed = excluded.sealed, set_at = excluded.set_at`,
    [key.installationId, storableText(key.protocol), storableText(key.sealed), key.setAt],
  );
}

interface KeyRow {
  readonly installation_id: string | number;
  readonly protocol: string;
  readonly sealed: string;
  readonly set_at: number;
}

/** As {@link Store.listKeys}. */
export async function listKeys(database: Database): Promise<readonly StoredKey[]> {
  const { rows } = await database.query<KeyRow>(
    'SELECT installation_id, protocol, sealed, set_at FROM maestro.keys ORDER BY installation_id, protocol',
  );
  return rows.map(toKey);
}

/** As {@link Store.findKey}. */
export async function findKey(
  database: Database,
  installationId: number,
  protocol: string,
): Promise<StoredKey | undefined> {
  const { rows } = await database.query<KeyRow>(
    'SELECT installation_id, protocol, sealed, set_at FROM maestro.keys WHERE installation_id = $1 AND protocol = $2',
    [installationId, storableText(protocol)],
  );
  return rows[0] && toKey(rows[0]);
}

/** As {@link Store.removeKey}. */
export async function removeKey(database: Database, installationId: number, protocol: string): Promise<boolean> {
  const { rows } = await database.query(
    'DELETE FROM maestro.keys WHERE installation_id = $1 AND protocol = $2 RETURNING protocol',
    [installationId, storableText(protocol)],
  );
  return rows.length > 0;
}

function toKey({ installation_id: installationId, protocol, sealed, set_at: setAt }: KeyRow): StoredKey {
  return { installationId: Number(installationId), protocol, sealed, setAt };
}
