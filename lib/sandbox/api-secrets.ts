/** Secrets, as the command and the daemon tell each other. */

/** Values of secrets travel base64-encoded, as in Juju. */
export type SecretContent = Readonly<Record<string, string>>;

export interface AddSecretParams {
  readonly name: string;
  readonly content: SecretContent;
  readonly description?: string;
}

export interface UpdateSecretParams {
  /** Name or any form of URI. */
  readonly secret: string;
  readonly content?: SecretContent;
  readonly name?: string;
  readonly description?: string;
  readonly autoPrune?: boolean;
}

export interface RemoveSecretParams {
  readonly secret: string;
  readonly revision?: number;
}

export interface GrantSecretParams {
  readonly secret: string;
  readonly applications: readonly string[];
}

export interface ShowSecretParams {
  readonly secret: string;
  readonly reveal?: boolean;
  /** With `reveal`: the revision whose content is shown; the latest unless told. */
  readonly revision?: number;
}

export interface SecretInfo {
  readonly id: string;
  /** `<model>` for user secrets, else application or unit. */
  readonly owner: string;
  /** User secrets only. */
  readonly name?: string;
  readonly label?: string;
  readonly description?: string;
  readonly rotation: string;
  readonly rotates?: string;
  readonly expires?: string;
  /** The latest one. */
  readonly revision: number;
  readonly checksum?: string;
  readonly created: string;
  readonly updated: string;
  readonly revisions: readonly {
    readonly revision: number;
    readonly created: string;
    readonly expires?: string;
  }[];
  readonly access: readonly {
    readonly target: string;
    readonly scope: string;
    readonly role: string;
  }[];
  readonly content?: SecretContent;
}
