/** A cloud that offers the models of somebody else, in paths and under model names of its own, which the agent has to use. */
export type Cloud =
  | { readonly kind: 'bedrock'; readonly region: string }
  | { readonly kind: 'vertex'; readonly region: string; readonly project: string };
