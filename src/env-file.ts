import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';

/** Adds what a file `.env` in the working directory says to the environment, which wins. Nothing when there is no such file. */
export function readEnvFile(): void {
  if (existsSync('.env')) loadEnvFile('.env');
}
