import { matchesRepository } from './trust.ts';

/** Which repositories run in an image of their own. */
export interface ImageRule {
  /** `owner/name`, with `*`. */
  readonly repositories: string;
  /** An image by tag or digest, or `devcontainer`: the one the repository's devcontainer names on its default branch. */
  readonly image: string;
}

/** Stands for a provider's id in the name of an image. */
const PROVIDER = '{provider}';

/** The image of the first rule that fits a repository; undefined when none does. */
export function imageFor(rules: readonly ImageRule[], fullName: string): string | undefined {
  return rules.find((rule) => matchesRepository(rule.repositories, fullName))?.image;
}

/** The image an agent of this provider runs in. */
export function imageOfProvider(image: string, provider: string): string {
  return image.replaceAll(PROVIDER, provider);
}
