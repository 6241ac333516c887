/** What GraphiQL finds when it opens for the first time. */
export interface BrowserStorageOptions {
  /** Tells one gateway's tabs from another's: the public id of the key in the page. */
  readonly owner: string;
  /** The variables of the first tab, which GraphiQL takes from its storage only. */
  readonly firstVariables: string;
}

/**
 * The code, for the browser, of the storage that GraphiQL keeps its tabs and pane sizes in: localStorage under
 * names of our own. Without it, a page of another program that ran on the same port would share them, and a
 * gateway that was started over would open with the ids of data that is gone. What an earlier owner left is removed.
 */
export function browserStorage({ owner, firstVariables }: BrowserStorageOptions): string {
  const prefix = "customer-gateway:";
  // The sizes of the panes: the query is as high as one and a half of its variables.
  const first = { "graphiql:variables": firstVariables, "graphiql:secondaryEditorFlex": "1.5" };
  return `((prefix, own, first) => {
  const names = (start) => Object.keys(localStorage).filter((name) => name.startsWith(start));
  for (const name of names(prefix)) if (!name.startsWith(own)) localStorage.removeItem(name);
  if (names(own).length === 0) for (const [name, value] of Object.entries(first)) localStorage.setItem(own + name, value);
  return {
    getItem: (name) => localStorage.getItem(own + name),
    setItem: (name, value) => localStorage.setItem(own + name, value),
    removeItem: (name) => localStorage.removeItem(own + name),
    get length() { return names(own).length; },
    clear() { for (const name of names(own)) localStorage.removeItem(name); },
  };
})(${[prefix, `${prefix}${owner}:`, first].map((value) => JSON.stringify(value)).join(", ")})`;
}
