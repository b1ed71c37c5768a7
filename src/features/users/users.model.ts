/** A person as stored. */
export interface UserRow {
  id: string;
  /** In lower case. */
  email: string;
  name: string;
  /** IANA name. */
  time_zone: string;
  /** BCP 47 tag. */
  locale: string;
  avatar_url: string | null;
  created_at: Date;
}

/** An account that a user belongs to. */
export interface Membership {
  account_id: string;
  account_name: string;
  role: string;
  /** On its way to being erased: nobody acts for it. */
  closed: boolean;
}

/** A user with the accounts they belong to, oldest membership first. */
export interface UserWithAccounts extends UserRow {
  memberships: Membership[];
}

/** What a user may change of themselves. What is left out stays. */
export interface ProfileChange {
  name?: string | undefined;
  time_zone?: string | undefined;
  locale?: string | undefined;
  avatar_url?: string | null | undefined;
}

/** A person who proved who they are, for the first time or again. */
export interface Person {
  /** Verified. */
  email: string;
  name?: string | undefined;
  avatarUrl?: string | undefined;
  firebase?: { project: string; uid: string } | undefined;
}
