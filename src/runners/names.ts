const NAME = /^[a-z0-9][a-z0-9-]*$/;

/** Refuses a name of a `kind` that is not `[a-z0-9-]`, 1 to `longest` characters: names become paths, labels and container names. */
export function requireName(kind: string, name: string, longest: number): void {
  if (name.length > longest || !NAME.test(name)) {
    throw new TypeError(`The ${kind} name '${name}' is not made of 1 to ${longest} of a-z, 0-9 and '-'.`);
  }
}

/** Refuses a path of `Job.files` that does not stay below HOME, or is longer than the 100 bytes a tar header holds. */
export function requireFilePath(path: string): void {
  const parts = path.split('/');
  const stays = parts.every((part) => part !== '' && part !== '.' && part !== '..') && !path.includes('\0');
  if (!stays || Buffer.byteLength(path) > 100) {
    throw new TypeError(
      `'${path}' can't be put into a job's HOME: it must be a plain relative path of at most 100 bytes.`,
    );
  }
}
