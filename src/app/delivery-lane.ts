interface Payload {
  readonly repository?: { readonly id?: unknown } | null;
  readonly installation?: { readonly id?: unknown } | null;
}

/**
 * What a payload is about, as the name of the lane its delivery waits in: its repository, else its installation. Deliveries that
 * name neither share a lane.
 */
export function laneOf(payload: unknown): string {
  const { repository, installation } = payload as Payload;
  return JSON.stringify(repository?.id ?? installation?.id ?? '').slice(0, 64);
}
