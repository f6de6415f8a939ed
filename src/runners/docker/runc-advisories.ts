/**
 * First fixed version of each line of runc, for CVE-2025-31133, CVE-2025-52565 and CVE-2025-52881 (masked-path and procfs
 * redirection); they are all later than the fix of CVE-2024-21626.
 */
const FIXED: Readonly<Record<string, number>> = { '1.2': 8, '1.3': 3 };

/** Whether runc `version` (`1.2.3`, with anything after it) has container escapes that later versions mended. */
export function olderThanKnownEscapes(version: string): boolean {
  const match = /^(\d+)\.(\d+)\.(\d+)/.exec(version);
  if (match === null) return false;
  const [major, minor, patch] = match.slice(1).map(Number) as [number, number, number];
  const fixed = FIXED[`${major}.${minor}`];
  if (fixed !== undefined) return patch < fixed;
  return major < 1 || (major === 1 && minor < 2);
}
