'use strict';

/**
 * One line for the person at the terminal, on standard error.
 *
 * @param {string} text
 */
function say(text) {
  process.stderr.write(`prepare: ${text}\n`);
}

module.exports = { say };
