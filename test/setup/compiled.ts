import path from 'node:path';

/** For the environment of the product's processes: most of a cold start is compiling, which is kept here between them. */
export const COMPILED = {
  NODE_COMPILE_CACHE: path.join(import.meta.dirname, '../../node_modules/.cache/compiled'),
};
