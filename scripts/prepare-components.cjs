'use strict';

const { spawnSync } = require('child_process');
const fs = require('fs');
const net = require('net');
const path = require('path');
const { say } = require('./prepare-say.cjs');

/**
 * The programs the tests drive, and the Debian package each comes in. `suites` is what goes untested without it.
 *
 * @type {readonly { name: string, suites: string, debian: string, found: (env: NodeJS.ProcessEnv) => Promise<boolean> | boolean }[]}
 */
const COMPONENTS = [
  { name: 'git', suites: 'everything with a repository', debian: 'git', found: () => onPath(['git']) },
  { name: 'Redis', suites: 'the queue on Redis', debian: 'redis-server', found: () => onPath(['redis-server']) },
  { name: 'Postgres', suites: 'the store on a server', debian: 'postgresql', found: hasPostgres },
  { name: 'a Docker engine', suites: 'the Docker runner', debian: 'docker.io', found: hasDockerEngine },
  {
    name: 'debootstrap',
    suites: 'building the agent image',
    debian: 'debootstrap',
    found: () => onPath(['debootstrap']),
  },
  { name: 'socat', suites: "the container's wire", debian: 'socat', found: () => onPath(['socat']) },
];

/** Services of freshly installed packages must not start: the tests start private ones. Exit code 101 means "forbidden". */
const POLICY = { file: '/usr/sbin/policy-rc.d', text: '#!/bin/sh\nexit 101\n' };

/**
 * Installs with apt what the tests need and the machine lacks, where that is possible: as root on Debian, or in CI.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<boolean>} False only in CI, when something can't be had: there nothing may be skipped.
 */
async function installComponents(env) {
  const ci = isSet(env.CI);
  let missing = await missingComponents(env);
  if (missing.length === 0) return true;

  const become = env.MAESTRO_SKIP_INSTALL === '1' ? undefined : rootCommand(ci);
  if (become !== undefined && onPath(['apt-get'])) {
    say(`installing ${list(missing.map((component) => component.debian))} with apt-get`);
    aptInstall(
      become,
      missing.map((component) => component.debian),
    );
    missing = await missingComponents(env);
  }
  if (missing.length === 0) return true;

  for (const { name, suites, debian } of missing) {
    say(`${name} is missing (Debian package "${debian}"); ${ci ? 'needed for' : 'skipped for want of it:'} ${suites}`);
  }
  if (ci) say('in CI nothing is skipped, so this ends here');
  else say(`to test everything: apt-get install ${missing.map((component) => component.debian).join(' ')}`);
  return !ci;
}

/** @param {NodeJS.ProcessEnv} env */
async function missingComponents(env) {
  const found = await Promise.all(COMPONENTS.map(async (component) => component.found(env)));
  return COMPONENTS.filter((_, index) => !found[index]);
}

/**
 * @param {boolean} ci
 * @returns {readonly string[] | undefined} What to put before a command so that root runs it; undefined when that can't be had.
 */
function rootCommand(ci) {
  if (typeof process.getuid === 'function' && process.getuid() === 0) return [];
  // Only in CI: on a person's own machine nothing is installed behind their back.
  if (ci && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) return ['sudo', '-n'];
  return undefined;
}

/**
 * @param {readonly string[]} become
 * @param {readonly string[]} packages
 */
function aptInstall(become, packages) {
  const options = ['-y', '-q', '-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3'];
  const restore = forbidServices(become);
  try {
    // An update that fails in part (one dead mirror among several) still leaves lists to install from.
    asRoot(become, ['apt-get', ...options, 'update']);
    asRoot(become, ['apt-get', ...options, 'install', '--no-install-recommends', ...packages]);
  } finally {
    restore();
  }
}

/**
 * @param {readonly string[]} become
 * @returns {() => void} Puts back what was there.
 */
function forbidServices(become) {
  const { file, text } = POLICY;
  const aside = `${file}.before-maestro`;
  // A copy set aside earlier is the machine's own: whoever set it aside was killed before putting it back.
  const setAside = `if [ -e '${file}' ] && [ ! -e '${aside}' ]; then mv '${file}' '${aside}'; fi`;
  asRoot(become, ['sh', '-c', `${setAside} && printf '%s' "$1" > '${file}' && chmod 755 '${file}'`, 'sh', text]);
  let restored = false;
  const restore = () => {
    if (restored) return;
    restored = true;
    asRoot(become, fs.existsSync(aside) ? ['mv', '-f', aside, file] : ['rm', '-f', file]);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => {
      restore();
      process.exit(130);
    });
  }
  return restore;
}

/**
 * @param {readonly string[]} become
 * @param {readonly string[]} argv
 */
function asRoot(become, argv) {
  const [command, ...rest] = [...become, 'env', 'DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_MODE=l', ...argv];
  const result = spawnSync(command, rest, { stdio: ['ignore', 2, 2] });
  if (result.status !== 0) say(`"${argv.join(' ')}" did not succeed`);
}

/** @param {readonly string[]} programs */
function onPath(programs) {
  // Debian keeps dockerd and debootstrap in sbin, which is not on everyone's PATH.
  const directories = [...(process.env.PATH || '').split(path.delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin'];
  return programs.some((program) => directories.some((directory) => isProgram(path.join(directory, program))));
}

/** @param {string} file */
function isProgram(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function hasPostgres() {
  if (onPath(['initdb']) && onPath(['postgres'])) return true;
  try {
    const versions = fs.readdirSync('/usr/lib/postgresql');
    return versions.some((version) => isProgram(`/usr/lib/postgresql/${version}/bin/initdb`));
  } catch {
    return false;
  }
}

/**
 * A `docker` client alone is not an engine: one must answer, or be there to be started.
 *
 * @param {NodeJS.ProcessEnv} env
 */
async function hasDockerEngine(env) {
  if (onPath(['dockerd'])) return true;
  const host = env.DOCKER_HOST;
  if (host && !host.startsWith('unix://')) return true;
  const socket = host ? host.slice('unix://'.length) : '/var/run/docker.sock';
  return new Promise((resolve) => {
    const connection = net.connect(socket);
    connection.setTimeout(1000, () => connection.destroy(new Error('no answer')));
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}

/** @param {string | undefined} value */
function isSet(value) {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}

/** @param {readonly string[]} words */
function list(words) {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}

module.exports = { installComponents };
