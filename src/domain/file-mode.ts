/** What an entry of a git tree is, as git writes it: "Index entry" in git's `Documentation/gitformat-index`. */
export const FILE_MODE = {
  file: '100644',
  executable: '100755',
  /** Its content is the path it leads to. */
  link: '120000',
  /** A commit of another repository. */
  submodule: '160000',
} as const;
