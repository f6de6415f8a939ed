'use strict';

const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { say } = require('./prepare-say.cjs');

/**
 * Runs `npm ci` when what is installed is not what package-lock.json asks for. Versions are compared, not times: a checkout
 * gives every file a new time.
 *
 * @param {string} root Directory of package-lock.json.
 * @returns {boolean} Whether the packages are there.
 */
function installPackages(root) {
  const difference = firstDifference(root);
  if (difference === undefined) return true;

  const modules = path.join(root, 'node_modules');
  if (isLink(modules)) {
    // `npm ci` would empty the directory the link leads to, which is somebody else's.
    say(`${difference}. node_modules is a link, so it is left as it is: run "npm ci" where it leads to.`);
    return true;
  }
  say(`${difference}: installing the packages (npm ci)`);
  const npm = npmCommand();
  // `--include=dev` because the runtime itself (the package "node") is a development dependency, and NODE_ENV=production would
  // leave it out. The log level is said because `npm run --silent` hands its own down, and a failure must not be silent.
  const argv = [...npm.slice(1), 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = spawnSync(npm[0], argv, { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.status === 0) return true;

  const reason = result.error ? result.error.message : `it ended with ${result.signal || `code ${result.status}`}`;
  say(`"npm ci" failed: ${reason}. The lines above say why; when it is mended, run the command again.`);
  return false;
}

/**
 * @param {string} root
 * @returns {string | undefined} What is first found to differ between lock file and installation, as a clause.
 */
function firstDifference(root) {
  const installed = readLock(path.join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return 'the packages are not installed';
  const wanted = readLock(path.join(root, 'package-lock.json'));
  if (wanted === undefined) return undefined;
  for (const name of Object.keys(wanted)) {
    if (name === '' || wanted[name].link) continue;
    const present = installed[name];
    if (present === undefined) {
      // Left out by npm on machines they are not for.
      if (wanted[name].optional || wanted[name].devOptional) continue;
      return `${name} is missing`;
    }
    if (present.version !== wanted[name].version) {
      return `${name} is ${present.version} and package-lock.json asks for ${wanted[name].version}`;
    }
  }
  if (wanted['node_modules/node'] && !fs.existsSync(path.join(root, 'node_modules', '.bin', 'node'))) {
    return 'the package "node" did not install its program';
  }
  return undefined;
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, link?: boolean, optional?: boolean, devOptional?: boolean }> | undefined}
 */
function readLock(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** @param {string} directory */
function isLink(directory) {
  try {
    return fs.lstatSync(directory).isSymbolicLink();
  } catch {
    return false;
  }
}

/** The npm that called us, so that one machine with two of them uses one. */
function npmCommand() {
  const script = process.env.npm_execpath;
  return script && /npm-cli\.c?js$/.test(script) ? [process.execPath, script] : ['npm'];
}

module.exports = { installPackages };
