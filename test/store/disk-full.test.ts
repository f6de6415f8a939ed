import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DiskFullError, RESERVE_BYTES } from '../../src/store/disk-reserve.ts';
import { openStore } from '../../src/store/open.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { aDelivery } from './samples.ts';
import { embeddedDirectories } from './embedded.ts';

const log = createLog({ level: 'silent' });

// Only root may mount a disk of a size of its own.
describe.runIf(process.getuid?.() === 0)('the embedded database on a disk that fills up', () => {
  it('refuses to write before it is too late, goes on reading, and recovers by itself', async () => {
    const disk = await mkdtemp(path.join(tmpdir(), 'maestro-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m', 'tmpfs', disk]);
    onTestFinished(async () => {
      execFileSync('umount', ['--lazy', disk]);
      await rm(disk, { recursive: true, force: true });
    });
    await using directories = await embeddedDirectories();
    const directory = path.join(disk, 'database');
    await cp(await directories.make(), directory, { recursive: true });
    const { store } = await openStore({ directory, log });
    expect(await store.saveDelivery(aDelivery())).toBe('saved');

    mkdirSync(path.join(disk, 'others'));
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(path.join(disk, 'others', 'fill'), Buffer.alloc(bavail * bsize - RESERVE_BYTES + 100_000));
    await expect(store.saveDelivery(aDelivery())).rejects.toThrow(DiskFullError);
    await expect(store.saveDelivery(aDelivery())).rejects.toThrow(
      /nearly full \(63 MB left, 64 MB needed\).*Free some/,
    );
    expect(await store.pendingDeliveries(Infinity, 10)).toHaveLength(1);
    await store.ping();

    rmSync(path.join(disk, 'others'), { recursive: true });
    expect(await store.saveDelivery(aDelivery())).toBe('saved');
    await store.close();
  }, 120_000);
});
