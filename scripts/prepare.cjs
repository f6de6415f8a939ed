'use strict';

/**
 * What npm runs before `demo`, `test`, `start` and the others: makes sure the packages are installed and, for the tests, the
 * programs they drive. Plain CommonJS for whatever Node the machine has (14 and later), because the Node that the project
 * itself runs on is one of the packages it installs. Everything it has to say goes to standard error: standard output belongs
 * to the command that follows.
 *
 * Usage: node scripts/prepare.cjs demo | test | run
 */
const path = require('path');
const { installComponents } = require('./prepare-components.cjs');
const { installPackages } = require('./prepare-packages.cjs');
const { say } = require('./prepare-say.cjs');

const ROOT = path.dirname(__dirname);
const PURPOSES = ['demo', 'test', 'run'];

/**
 * @param {string | undefined} purpose What the packages and programs are needed for.
 * @returns {Promise<number>} Exit code.
 */
async function prepare(purpose) {
  if (purpose === undefined || !PURPOSES.includes(purpose)) {
    say(`usage: node scripts/prepare.cjs ${PURPOSES.join(' | ')}`);
    return 2;
  }
  if (!installPackages(ROOT)) return 1;
  if (purpose === 'test' && !(await installComponents(process.env))) return 1;
  return 0;
}

prepare(process.argv[2]).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    say(String((error && error.stack) || error));
    process.exitCode = 1;
  },
);
