import type { JobFiles } from '../runner.ts';

const BLOCK = 512;

/**
 * A POSIX ustar archive of files, by path (at most 100 bytes each). Everything is owned by `uid` and private to it, and
 * executable, since a file may be a script.
 */
export function tarOf(files: JobFiles, uid: number): Buffer {
  const blocks: Buffer[] = [];
  for (const [path, file] of Object.entries(files)) {
    const content = Buffer.from(file);
    const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
    blocks.push(headerOf({ path, size: content.length, uid }), content, padding);
  }
  // Two empty blocks end an archive.
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/** A POSIX ustar archive of empty directories, by name. Everybody may look into them; they are owned by `uid`. */
export function tarOfDirectories(names: readonly string[], uid: number): Buffer {
  const headers = names.map((path) => headerOf({ path: `${path}/`, size: 0, uid, kind: '5', mode: 0o755 }));
  return Buffer.concat([...headers, Buffer.alloc(2 * BLOCK)]);
}

interface Header {
  readonly path: string;
  readonly size: number;
  readonly uid: number;
  /** `0` a file, `5` a directory. */
  readonly kind?: '0' | '5';
  readonly mode?: number;
}

function headerOf({ path, size, uid, kind = '0', mode = 0o700 }: Header): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(path, 0, 100);
  header.write(octal(mode, 7), 100);
  header.write(octal(uid, 7), 108);
  header.write(octal(uid, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(0, 11), 136);
  header.write('        ', 148);
  header.write(kind, 156);
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
