import { type OpenApiDocument, readRestDocument, readWebhookDocument } from '../../../local-github/referee/document.ts';

/**
 * GitHub's own example of a component, from its REST document.
 *
 * @throws Error when the document has none of that name.
 */
export function restExample(name: string): Record<string, unknown> {
  return exampleOf(readRestDocument(), name);
}

/** GitHub's own example of a webhook payload. */
export function webhookExample(name: string): Record<string, unknown> {
  return exampleOf(readWebhookDocument(), name);
}

function exampleOf(document: OpenApiDocument, name: string): Record<string, unknown> {
  const { examples } = document.components as unknown as {
    examples: Record<string, { value: Record<string, unknown> }>;
  };
  const example = examples[name];
  if (example === undefined) throw new Error(`no example ${name}`);
  return example.value;
}
