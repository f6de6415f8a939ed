import { digest } from './ids.ts';

/** What prepares a repository's working copy before its first task: commands, and where they are written. */
export interface Setup {
  /** As people know it: `setup` of the playbook, or a path. */
  readonly source: string;
  readonly steps: readonly SetupStep[];
  /** One sentence for each thing of the source that is not carried out. */
  readonly skipped: readonly string[];
  /** Text of a file that the steps run: another text is another setup. */
  readonly runs?: string;
}

export interface SetupStep {
  /** What people call it. */
  readonly name: string;
  /** A program for `sh`, started in the working copy's root. */
  readonly script: string;
}

/**
 * Files that say which dependencies a repository has, by their last part. What is prepared is good for as long as these, and the
 * setup itself, stay as they are.
 */
const LOCKFILES =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|yarn\.lock|bun\.lockb?|deno\.lock|requirements[^/]*\.txt|constraints[^/]*\.txt|poetry\.lock|Pipfile\.lock|pdm\.lock|uv\.lock|pixi\.lock|conda-lock\.yml|Cargo\.lock|go\.sum|Gemfile\.lock|composer\.lock|mix\.lock|pubspec\.lock|Podfile\.lock|Package\.resolved|packages\.lock\.json|gradle\.lockfile|flake\.lock|\.tool-versions|\.nvmrc|\.node-version|\.python-version|\.ruby-version|rust-toolchain(?:\.toml)?)$/;

/** Whether a path is that of a lockfile. */
export function isLockfile(path: string): boolean {
  return LOCKFILES.test(path);
}

/** A file of a commit, by its content's id. */
export interface FileAt {
  readonly path: string;
  readonly oid: string;
}

/**
 * Names what a setup prepares, 20 characters of `[a-z2-7]`: the same for the same commands, the same lockfiles and the same image,
 * whatever else changed. A repository without a lockfile is known by all its files, because nothing else says what it needs.
 */
export function setupKey(of: {
  readonly setup: Setup;
  readonly files: readonly FileAt[];
  readonly image: string | undefined;
}): string {
  const locks = of.files.filter(({ path }) => isLockfile(path));
  const decisive = (locks.length > 0 ? locks : of.files).map(({ path, oid }) => `${path}\0${oid}`).toSorted();
  const scripts = of.setup.steps.map(({ script }) => script);
  return digest(JSON.stringify([scripts, of.setup.runs ?? '', decisive, of.image ?? '']), 20);
}

/**
 * Hosts a setup may reach when the operator names none: the registries that the usual package managers fetch from, and what those
 * send them on to. All are for reading; what takes uploads is not among them, except where it is the same host.
 */
export const PACKAGE_HOSTS: readonly string[] = [
  'registry.npmjs.org',
  'registry.yarnpkg.com',
  'repo.yarnpkg.com',
  'jsr.io',
  'npm.jsr.io',
  'nodejs.org',
  'pypi.org',
  'files.pythonhosted.org',
  'crates.io',
  'static.crates.io',
  'index.crates.io',
  'static.rust-lang.org',
  'proxy.golang.org',
  'sum.golang.org',
  'rubygems.org',
  'index.rubygems.org',
  'repo.packagist.org',
  'packagist.org',
  'repo.maven.apache.org',
  'repo1.maven.org',
  'plugins.gradle.org',
  'services.gradle.org',
  'api.nuget.org',
  'hex.pm',
  'repo.hex.pm',
  'pub.dev',
];

/**
 * Variables that make package managers keep what they fetched on the lane (`directory`) and not in HOME, which is gone with its
 * container: sessions and checks, which may reach no registry, find it there. Copied with the lane, never shared.
 */
export function cacheVariables(directory: string): Readonly<Record<string, string>> {
  return {
    npm_config_cache: `${directory}/npm`,
    npm_config_store_dir: `${directory}/pnpm`,
    YARN_CACHE_FOLDER: `${directory}/yarn`,
    PIP_CACHE_DIR: `${directory}/pip`,
    PYTHONUSERBASE: `${directory}/python`,
    UV_CACHE_DIR: `${directory}/uv`,
    POETRY_CACHE_DIR: `${directory}/poetry`,
    CARGO_HOME: `${directory}/cargo`,
    GOMODCACHE: `${directory}/go/mod`,
    GOCACHE: `${directory}/go/build`,
    BUNDLE_USER_HOME: `${directory}/bundle`,
    GEM_HOME: `${directory}/gem`,
    COMPOSER_HOME: `${directory}/composer`,
    GRADLE_USER_HOME: `${directory}/gradle`,
    MAVEN_ARGS: `-Dmaven.repo.local=${directory}/maven`,
    NUGET_PACKAGES: `${directory}/nuget`,
  };
}
