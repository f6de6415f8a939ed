#!/usr/bin/env node
// The scripted agent: stands in for an agent CLI in the demo and the tests. It needs no model, depends on nothing but Node >= 18
// and does the same thing every time. The prompt comes on standard input; events go to standard output, one JSON object a line
// (src/providers/scripted/decode.ts has the format).
//
// It reads only the `# Task` section of the prompt: the task's title on its first line, then the task's text. If that holds
// directives, `scripted: <command> …` as inline code or as lines of their own, it obeys them in order. If not, it makes one small
// change that fits the title. Texts of directives may hold \n, \t and \\.
//
//   write PATH TEXT     append PATH TEXT    delete PATH         symlink PATH TARGET   mode PATH OCTAL
//   say TEXT            think TEXT          sleep 500ms|2s      nothing               await FILE
//   commit MESSAGE      tick                git-config KEY VAL  hook NAME SCRIPT      gitlink PATH        rm-git
//   spew 10MB [lines|short|binary|noline]   memory 500MB        disk 500MB            hang
//   fork                ignore-term         exit N              crash                 no-result
//   fail KIND [2h] [ID] (with an ID, only where it plays the provider of that id)   usage IN OUT [USD]  fetch URL           model                 env
//   recall              repair DIRECTIVE (obeyed only where the prompt tells of a previous attempt)
//   ask TEXT [| A | B]  note TEXT           replan WHY | TASK | TASK                  done TEXT           blocked WHY
//                       say so with the command `maestro`; ask, replan and blocked end the turn. What is asked or proposed already,
//                       as the rest of the prompt or an earlier one shows, is not asked again
//   stubborn            goes on after a word that ends the turn
import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { existsSync, openSync, writeSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Prints one event and waits until it is written: what is printed before a crash is seen. */
async function emit(event) {
  if (!process.stdout.write(`${JSON.stringify(event)}\n`))
    await new Promise((resolve) => process.stdout.once('drain', resolve));
}
const say = (text) => emit({ type: 'say', text });

let calls = 0;
/** Does `work` as a tool call: announces it, and reports what it returned or how it failed. */
async function tool(name, input, work) {
  calls += 1;
  const id = `call-${calls}`;
  await emit({ type: 'tool', id, name, input });
  let result;
  try {
    result = { ok: true, output: (await work()) ?? '' };
  } catch (error) {
    result = { ok: false, output: String(error.message ?? error) };
  }
  await emit({ type: 'tool-result', id, ...result });
}

// ---- reading the prompt ----

/** Title and text of the `# Task` section. */
function readTask(prompt) {
  const lines = prompt.split(/\r?\n/);
  const start = lines.indexOf('# Task');
  if (start < 0) return { title: lines.find((line) => line.trim() !== '') ?? '', text: prompt };
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.startsWith('# '));
  const [title = '', ...text] = end < 0 ? rest : rest.slice(0, end);
  return { title: title.trim(), text: text.join('\n') };
}

/** Directives of the text, in order; of the title only when the text, which usually repeats it, has none. */
function readDirectives({ title, text }) {
  const found = directivesOf(text);
  return found.length > 0 ? found : directivesOf(title);
}

function directivesOf(text) {
  return text.split('\n').flatMap((line) => {
    const whole = /^\s*(?:(?:[-*+>]|\d+[.)])\s+)*(?:\[[ xX]\]\s+)?scripted:\s*(.+?)\s*$/.exec(line);
    if (whole) return [whole[1]];
    return [...line.matchAll(/(`+)\s*scripted:\s*(.+?)\s*\1(?!`)/g)].map((match) => match[2]);
  });
}

const ESCAPES = { n: '\n', t: '\t', '\\': '\\' };
const unescape = (text) => text.replace(/\\([nt\\])/g, (_, letter) => ESCAPES[letter]);

/** `500ms`, `2s`, `3m`, `2h` in milliseconds. */
function duration(text) {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text ?? '');
  if (!found) throw new Error(`"${text}" is not a duration like 500ms or 2s`);
  return Number(found[1]) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[found[2]];
}

/** `10kB`, `500MB`, `2GB` in bytes. */
function bytes(text) {
  const found = /^(\d+(?:\.\d+)?)(kB|MB|GB|B)$/i.exec(text ?? '');
  if (!found) throw new Error(`"${text}" is not a size like 500MB`);
  return Math.round(Number(found[1]) * { b: 1, kb: 1e3, mb: 1e6, gb: 1e9 }[found[2].toLowerCase()]);
}

// ---- obeying directives ----

const git = (...args) => execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

async function writeTo(file, text, how) {
  await fs.mkdir(path.dirname(file), { recursive: true });
  await how(file, text);
}

let isStubborn = false;
let isOver = false;

/** Speaks to Maestro as an agent does, and ends its turn if it is told to. */
async function speak(verb, fields) {
  const args = verb === 'ask' ? fields.flatMap((field, at) => (at === 0 ? [field] : ['--option', field])) : [fields[0]];
  const input =
    verb === 'replan'
      ? fields
          .slice(1)
          .map((one) => `- [ ] ${one}\n`)
          .join('')
      : '';
  let taken = false;
  await tool('Bash', { command: `maestro ${verb}` }, () => {
    const said = execFileSync('maestro', [verb, ...args], { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'pipe'] });
    taken = true;
    return said;
  });
  isOver ||= taken && !isStubborn && ['ask', 'replan', 'blocked'].includes(verb);
}

const fieldsOf = (rest) =>
  unescape(rest)
    .split(' | ')
    .map((field) => field.trim());

/** Asks or proposes, unless people were asked already. */
async function speakOnce(verb, rest) {
  const fields = fieldsOf(rest);
  const told = [...earlier, ...prompt.split(/^(?=# )/m).filter((part) => !/^# (?:Task|Where you are)\n/.test(part))];
  if (told.some((text) => text.includes(fields[0]))) return say(`I asked already: ${fields[0]}`);
  return speak(verb, fields);
}

/** Each gets the rest of its line, and the line's words. */
const COMMANDS = {
  write: (rest, [file]) => {
    const text = `${unescape(after(rest, file))}\n`;
    return tool('Write', { path: file }, () => writeTo(file, text, fs.writeFile));
  },
  append: (rest, [file]) => {
    const text = `${unescape(after(rest, file))}\n`;
    return tool('Append', { path: file }, () => writeTo(file, text, fs.appendFile));
  },
  delete: (_, [file]) => tool('Delete', { path: file }, () => fs.rm(file, { recursive: true })),
  symlink: (_, [file, target]) =>
    tool('Symlink', { path: file, target }, () => writeTo(file, target, (at, to) => fs.symlink(to, at))),
  mode: (_, [file, mode]) => tool('Mode', { path: file, mode }, () => fs.chmod(file, Number.parseInt(mode, 8))),
  say: (rest) => say(unescape(rest)),
  think: (rest) => emit({ type: 'think', text: unescape(rest) }),
  sleep: (_, [time]) => pause(duration(time)),
  await: async (_, [file]) => {
    while (!existsSync(file)) await pause(20);
  },
  nothing: () => say('Nothing to do here.'),
  commit: (rest) =>
    tool('Bash', { command: `git commit -m ${rest}` }, () => {
      git('add', '-A');
      return git('-c', 'user.name=Scripted agent', '-c', 'user.email=agent@localhost', 'commit', '-m', rest);
    }),
  tick: () => tool('Edit', { path: '.maestro/playbooks' }, tickAll),
  'git-config': (rest, [key]) =>
    tool('Bash', { command: `git config ${rest}` }, () => git('config', key, after(rest, key))),
  hook: (rest, [name]) =>
    tool('Write', { path: `.git/hooks/${name}` }, async () => {
      const file = path.resolve(git('rev-parse', '--git-path', `hooks/${name}`).trim());
      await writeTo(file, `#!/bin/sh\n${unescape(after(rest, name))}\n`, fs.writeFile);
      await fs.chmod(file, 0o755);
    }),
  gitlink: (_, [file]) =>
    tool('Bash', { command: `git init ${file}` }, async () => {
      await fs.mkdir(file, { recursive: true });
      git('init', '-q', file);
      const inside = ['-C', file, '-c', 'user.name=Scripted agent', '-c', 'user.email=agent@localhost'];
      return git(...inside, 'commit', '-q', '--allow-empty', '-m', 'A repository of its own');
    }),
  'rm-git': () => tool('Bash', { command: 'rm -rf .git' }, () => fs.rm('.git', { recursive: true, force: true })),
  spew: (_, [size, shape]) => spew(bytes(size), shape ?? 'lines'),
  memory: (_, [size]) => tool('Bash', { command: `use ${size} of memory` }, () => hold(bytes(size))),
  disk: (_, [size]) => tool('Bash', { command: `use ${size} of disk` }, () => fill('scripted-fill.bin', bytes(size))),
  hang: () => new Promise(() => setInterval(() => {}, 60_000)),
  fork: () =>
    tool('Bash', { command: 'setsid nohup sleep' }, () => {
      const child = spawn('sh', ['-c', "trap '' TERM HUP INT; while :; do sleep 1; done"], {
        detached: true,
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      child.unref();
      return `pid ${child.pid}`;
    }),
  'ignore-term': () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {});
  },
  exit: (_, [code]) => process.exit(Number(code)),
  crash: () => {
    process.kill(process.pid, 'SIGKILL');
    return pause(60_000);
  },
  'no-result': () => process.exit(0),
  fail: async (_, [kind, reset, id = process.env.MAESTRO_AGENT]) => {
    if (id !== process.env.MAESTRO_AGENT) return;
    const resetAt = reset === undefined ? {} : { resetAt: Date.now() + duration(reset) };
    await emit({ type: 'error', kind, message: `The scripted agent was told to fail (${kind}).`, ...resetAt });
    await emit({ type: 'end', ok: false, text: '' });
    process.exit(1);
  },
  usage: (_, [input, output, cost]) =>
    emit({
      type: 'usage',
      input: Number(input),
      output: Number(output),
      cached: 0,
      ...(cost === undefined ? {} : { costUsd: Number(cost) }),
    }),
  fetch: (_, [url]) => tool('WebFetch', { url }, () => fetchThroughProxy(url)),
  model: () => tool('Model', {}, callModel),
  ask: (rest) => speakOnce('ask', rest),
  replan: (rest) => speakOnce('replan', rest),
  note: (rest) => speak('note', [unescape(rest)]),
  done: (rest) => speak('done', [unescape(rest)]),
  blocked: (rest) => speak('blocked', [unescape(rest)]),
  stubborn: () => {
    isStubborn = true;
  },
  recall: () => say(`I remember: ${earlier.map((one) => readTask(one).title).join('; ')}`),
  env: () => tool('Bash', { command: 'env' }, () => Object.keys(process.env).sort().join('\n')),
};

const after = (rest, word) => rest.slice((word ?? '').length).trimStart();

async function obey(directive) {
  const [name] = directive.split(/\s/, 1);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) return say(`I do not know the directive "${name}".`);
  const rest = after(directive, name);
  await command(rest, rest.split(/\s+/).filter(Boolean));
}

async function tickAll() {
  const folder = '.maestro/playbooks';
  for (const name of await fs.readdir(folder)) {
    const file = path.join(folder, name);
    await fs.writeFile(file, (await fs.readFile(file, 'utf8')).replaceAll('[ ]', '[x]'));
  }
}

/** Writes straight to the descriptor: a pipe that is not read holds it back. */
function spew(size, shape) {
  const block = 64 * 1024;
  const chunk = {
    lines: Buffer.from(`${JSON.stringify({ type: 'say', text: 'x'.repeat(1000) })}\n`.repeat(64)),
    short: Buffer.from('not json\n'.repeat(8192)),
    binary: Buffer.from(Array.from({ length: block }, (_, at) => (at * 31 + 7) % 256)),
    noline: Buffer.alloc(block, 'x'),
  }[shape];
  if (!chunk) throw new Error(`spew knows lines, short, binary and noline, not ${shape}`);
  return new Promise((resolve) => {
    let written = 0;
    const more = () => {
      while (written < size) {
        written += chunk.length;
        if (!process.stdout.write(chunk)) return process.stdout.once('drain', more);
      }
      process.stdout.write('\n', resolve);
    };
    more();
  });
}

const held = [];
function hold(size) {
  const block = 10_000_000;
  for (let left = size; left > 0; left -= block) held.push(Buffer.alloc(Math.min(block, left), 1));
  return `${size} bytes`;
}

function fill(file, size) {
  const block = Buffer.alloc(1_000_000, 1);
  const descriptor = openSync(file, 'w');
  for (let left = size; left > 0; left -= block.length) writeSync(descriptor, block, 0, Math.min(block.length, left));
  return `${size} bytes`;
}

/** Fetches an https URL through HTTPS_PROXY, or an http URL through HTTP_PROXY, as command line tools do. */
async function fetchThroughProxy(address) {
  const url = new URL(address);
  const proxy = url.protocol === 'https:' ? process.env.HTTPS_PROXY : process.env.HTTP_PROXY;
  if (!proxy) {
    const response = await fetch(url, { redirect: 'manual' });
    return `status ${response.status}`;
  }
  const { hostname, port } = new URL(proxy);
  if (url.protocol === 'http:') return get({ hostname, port, path: address, headers: { host: url.host } });
  const tunnel = http.request({ hostname, port, method: 'CONNECT', path: `${url.hostname}:${url.port || 443}` });
  tunnel.end();
  const [response, socket] = await new Promise((resolve, reject) => {
    tunnel.once('connect', (...args) => resolve(args));
    tunnel.once('error', reject);
  });
  if (response.statusCode !== 200) {
    socket.destroy();
    return `refused by the proxy with status ${response.statusCode}`;
  }
  const servername = net.isIP(url.hostname) ? undefined : url.hostname;
  return get({
    createConnection: () => tls.connect({ socket, servername }),
    hostname: url.hostname,
    path: url.pathname + url.search,
  });
}

function get(options) {
  return new Promise((resolve, reject) => {
    const request = http.get({ ...options, agent: false, timeout: 15_000 }, (response) => {
      response.resume();
      resolve(`status ${response.statusCode}`);
    });
    request.once('timeout', () => request.destroy(new Error('timed out')));
    request.once('error', reject);
  });
}

async function callModel() {
  const response = await fetch(`${process.env.ANTHROPIC_BASE_URL}/v1/messages`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-api-key': process.env.ANTHROPIC_API_KEY ?? '',
      'anthropic-version': '2023-06-01',
    },
    body: JSON.stringify({
      model: 'claude-haiku-4-5',
      max_tokens: 64,
      messages: [{ role: 'user', content: 'Say hello.' }],
    }),
  });
  const body = await response.text();
  return `status ${response.status} ${body.slice(0, 500)}`;
}

// ---- working by the title ----

/** `Add an export endpoint` as `add-export-endpoint`. */
function slugOf(title) {
  const words = title.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const kept = words.filter((word) => !['a', 'an', 'the', 'to', 'of', 'for', 'and', 'with', 'in', 'on'].includes(word));
  return kept.slice(0, 6).join('-').slice(0, 48) || 'task';
}

const camel = (slug) => slug.replace(/-+([a-z0-9])/g, (_, letter) => letter.toUpperCase()).replace(/^(\d)/, 'task$1');

/** One file that suits the title, with its whole text or the text to append. */
function changeFor(title) {
  const slug = slugOf(title);
  const name = camel(slug);
  const has = (pattern) => pattern.test(title.toLowerCase());
  if (has(/\btests?\b|\bspecs?\b/)) {
    const text = `import assert from 'node:assert/strict';\nimport { test } from 'node:test';\n\ntest(${JSON.stringify(title)}, () => {\n  assert.equal(1 + 1, 2);\n});\n`;
    return { file: `test/${slug}.test.js`, text };
  }
  if (has(/\bmigrat(?:e|es|ion|ions)\b|\bschema\b/)) {
    const table = slug.replaceAll('-', '_');
    return {
      file: `migrations/${slug}.sql`,
      text: `-- ${title}\nCREATE TABLE ${table} (\n  id bigint PRIMARY KEY,\n  created_at timestamptz NOT NULL DEFAULT now()\n);\n`,
    };
  }
  if (has(/\bdocs?\b|\bdocument(?:s|ation|ing)?\b|\breadme\b|\bguides?\b/)) {
    return {
      file: `docs/${slug}.md`,
      append: true,
      text: `## ${title}\n\nThis section says how it works, what to mind, and where to look next.\n`,
    };
  }
  const text = `/**\n * ${title.replaceAll('*/', '* /')}\n */\nexport function ${name}(input) {\n  if (input === undefined) throw new TypeError('${name} needs an input');\n  return { ok: true, input };\n}\n`;
  return { file: `src/${slug}.js`, text };
}

async function workByTitle(title) {
  const change = changeFor(title);
  await say(`I will look at what is there before I start on "${title}".`);
  await pause(60);
  await tool('List', { path: '.' }, async () =>
    (await fs.readdir('.'))
      .filter((name) => name !== '.git')
      .sort()
      .join('\n'),
  );
  await pause(80);
  await emit({ type: 'think', text: `One file does it: ${change.file}.` });
  await pause(40);
  if (change.append)
    await tool('Append', { path: change.file }, () => writeTo(change.file, change.text, fs.appendFile));
  else await tool('Write', { path: change.file }, () => writeTo(change.file, change.text, fs.writeFile));
  await pause(60);
  await tool('Read', { path: change.file }, () => fs.readFile(change.file, 'utf8'));
  await pause(30);
  return `Wrote ${change.file}.`;
}

// ---- the conversation ----

async function readPrompt() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Writes the prompt down as agents do; gives those the conversation had before. */
async function converse(conversation, prompt) {
  const file = path.join(process.env.HOME ?? '.', '.scripted', `${conversation}.jsonl`);
  const before = process.env.MAESTRO_RESUME === undefined ? '' : await fs.readFile(file, 'utf8');
  await writeTo(file, `${JSON.stringify({ prompt })}\n`, fs.appendFile).catch(() => {});
  return before
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).prompt);
}

const prompt = await readPrompt();
const task = readTask(prompt);
const conversation = process.env.MAESTRO_RESUME ?? process.env.MAESTRO_CONVERSATION ?? 'scripted';
const earlier = await converse(conversation, prompt);
await emit({ type: 'start', conversation });
const isRepair = prompt.split(/\r?\n/).includes('# The previous attempt');
const directives = readDirectives(task);
let summary = `Followed ${directives.length} ${directives.length === 1 ? 'directive' : 'directives'}.`;
if (directives.length === 0) summary = await workByTitle(task.title);
for (const directive of directives) {
  if (isOver) break;
  const repair = /^repair\s+(.*)$/s.exec(directive)?.[1];
  if (repair === undefined) await obey(directive);
  else if (isRepair) await obey(repair);
}
await emit({ type: 'usage', input: 1200, output: 40, cached: 0, costUsd: 0 });
await say(summary);
await emit({ type: 'end', ok: true, text: summary });
