/** A repository the App is installed on. `id` is GitHub's numeric id and survives renames; `owner` and `name` may change. */
export interface Repository {
  readonly id: number;
  readonly owner: string;
  readonly name: string;
  readonly installationId: number;
  readonly defaultBranch: string;
}

/** A person or bot as GitHub names it. `id` is the numeric account id, `login` the display name at the time. */
export interface Actor {
  readonly id: number;
  readonly login: string;
}

/** `owner/name`, as people write it. */
export function fullName(repository: Pick<Repository, 'owner' | 'name'>): string {
  return `${repository.owner}/${repository.name}`;
}
