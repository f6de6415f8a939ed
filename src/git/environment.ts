/** An extra header for HTTP remotes: it travels in the environment, so that it is in no argument list and no file. */
export interface RemoteAccess {
  readonly url: string;
  /** Value of the `Authorization` header. */
  readonly authorization: string;
}

/** Settings every git of ours runs under: nothing of the user's or the machine's configuration, no prompt, no hook, no helper. */
const SETTINGS: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.attributesFile': '/dev/null',
  'credential.helper': '',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'protocol.allow': 'never',
  'protocol.https.allow': 'always',
  'protocol.http.allow': 'always',
  'transfer.fsckObjects': 'true',
  'http.followRedirects': 'initial',
  'http.lowSpeedLimit': '1',
  'http.lowSpeedTime': '60',
  'advice.detachedHead': 'false',
  'init.defaultBranch': 'main',
};

/**
 * The whole environment of a git process of ours. Settings go in by `GIT_CONFIG_*`, which beats every file (git-config(1),
 * "ENVIRONMENT"). `extra` may add plumbing variables such as `GIT_INDEX_FILE`.
 */
export function gitEnvironment(
  access?: RemoteAccess,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const settings = {
    ...SETTINGS,
    ...(access === undefined ? {} : { 'http.extraHeader': `Authorization: ${access.authorization}` }),
  };
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: '/nonexistent',
    LANG: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_CONFIG_COUNT: String(Object.keys(settings).length),
    ...passedThrough(),
    ...extra,
  };
  for (const [index, [key, value]] of Object.entries(settings).entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return env;
}

/** Certificates and proxies of the machine, which a git that talks to GitHub needs as much as we do. */
function passedThrough(): Record<string, string> {
  const names = [
    'GIT_SSL_CAINFO',
    'SSL_CERT_FILE',
    'SSL_CERT_DIR',
    'https_proxy',
    'HTTPS_PROXY',
    'no_proxy',
    'NO_PROXY',
  ];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
