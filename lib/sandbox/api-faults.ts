/** What tests do to a sandbox, and Juju has no command for. */

/** One fault or event by hand. All name a unit but `advance`. */
export type FaultParams =
  /** Ends a unit's agent as a lost machine would: what it runs is killed, and it runs nothing more. */
  | { readonly fault: 'stop-agent'; readonly unit: string }
  | { readonly fault: 'start-agent'; readonly unit: string }
  /** Stops the process of the running hook (SIGSTOP to its group), and lets it go on (SIGCONT). */
  | { readonly fault: 'freeze'; readonly unit: string }
  | { readonly fault: 'thaw'; readonly unit: string }
  /** The next commit of the unit fails as if the controller had refused it. */
  | { readonly fault: 'drop-commit'; readonly unit: string }
  | { readonly fault: 'force-leader'; readonly unit: string }
  /** Moves the model's clock forward: retries, update-status, rotation and expiry of secrets. */
  | { readonly fault: 'advance'; readonly ms: number }
  | FireParams;

/** A hook as if it had come (again); what the unit knows of the model stays as it is. */
export interface FireParams {
  readonly fault: 'fire';
  readonly unit: string;
  /** `update-status`, `db-relation-changed`, `secret-rotate`, … */
  readonly event: string;
  /** Relation hooks; the endpoint's only relation unless told. */
  readonly relation?: number;
  readonly remoteUnit?: string;
  readonly departingUnit?: string;
  /** Secret hooks: id or URI; the latest revision unless told. */
  readonly secret?: string;
  readonly revision?: number;
  /** Storage hooks: `data/0`. */
  readonly storage?: string;
}
