'use strict';

/**
 * Prints `N passed, N failed, N skipped` for a report that vitest's JSON reporter wrote. Ends with 0 when tests passed and none
 * failed; a missing report means that the run died before any test could report.
 *
 * Usage: node scripts/summary.cjs REPORT
 */
const fs = require('fs');

/**
 * @param {string | undefined} file
 * @returns {{ passed: number, failed: number, skipped: number } | undefined}
 */
function countTests(file) {
  try {
    const report = JSON.parse(fs.readFileSync(String(file), 'utf8'));
    // A file that could not be loaded has failed without having a test to say so.
    const brokenFiles = report.testResults.filter(
      (result) => result.status === 'failed' && result.assertionResults.every(({ status }) => status !== 'failed'),
    );
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests + brokenFiles.length,
      skipped: report.numPendingTests + report.numTodoTests,
    };
  } catch {
    return undefined;
  }
}

const counts = countTests(process.argv[2]);
if (counts === undefined) {
  process.stderr.write('The run ended before any test could report; the lines above say why.\n');
  process.stdout.write('0 passed, 0 failed, 0 skipped\n');
  process.exitCode = 1;
} else {
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
}
