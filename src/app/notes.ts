/**
 * What the handlers did with each delivery that is being worked on. Probot's handlers return nothing, so this is the way back
 * from them to the inbox, which settles the delivery with it.
 */
export interface DeliveryNotes {
  /** Adds a few words on a delivery; ignored for one nobody works on. */
  add(guid: string, note: string): void;
  /** Does `work` and gives what was noted on the delivery meanwhile, in order. */
  during(guid: string, work: () => Promise<void>): Promise<readonly string[]>;
}

/** Makes an empty set of notes. */
export function createDeliveryNotes(): DeliveryNotes {
  const open = new Map<string, string[]>();
  return {
    add: (guid, note) => void open.get(guid)?.push(note),
    during: async (guid, work) => {
      const notes: string[] = [];
      open.set(guid, notes);
      try {
        await work();
        return notes;
      } finally {
        open.delete(guid);
      }
    },
  };
}
