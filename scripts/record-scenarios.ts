import type { Script } from '../local-model/script.ts';

/** One conversation with the scripted model that shows what a CLI prints in such a case. */
export interface Scenario {
  readonly script: Script;
  /** Whether the endpoint accepts the key; it does when not said. */
  readonly wrongKey?: true;
  /** Whether anything listens where the endpoint should be; it does when not said. */
  readonly nobodyThere?: true;
  /** Goes on with an earlier conversation. */
  readonly resumes?: true;
}

/** A file in the lane's working copy. */
const FILE = '/lane/repo/hello.txt';

/** What every provider is recorded in. The conformance suite (test/contracts/provider.contract.test.ts) says what each must come to. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  success: {
    script: [
      { thinking: 'Let me think.', text: 'I will write the file.', write: { path: FILE, content: 'hello\n' } },
      { bash: `cat ${FILE}; exit 3` },
      { text: 'Done: wrote hello.txt.' },
    ],
  },
  resume: { script: [{ text: 'I remember.' }], resumes: true },
  'wrong-key': { script: [], wrongKey: true },
  'bad-model': { script: [{ error: 'bad_model', repeat: true }] },
  'rate-limited-once': { script: [{ error: 429, times: 1, text: 'Fine.' }] },
  'rate-limited': { script: [{ error: 429, repeat: true }] },
  quota: { script: [{ error: 429, retry_after: 3600, repeat: true }] },
  'no-credit': { script: [{ error: 'quota', repeat: true }] },
  overloaded: { script: [{ error: 529, repeat: true }] },
  'prompt-too-long': { script: [{ error: 'prompt_too_long', repeat: true }] },
  unreachable: { script: [], nobodyThere: true },
  cut: { script: [{ text: 'This answer will break off.', cut: true, repeat: true }] },
};
