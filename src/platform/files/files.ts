import type { Readable } from 'node:stream';

/** A file as a listing shows it. */
export interface StoredFile {
  key: string;
  bytes: number;
  modifiedAt: Date;
}

/**
 * Files that outlive a request: exports, media. A key is a path of plain segments such as `exports/acc_1/archive.zip`;
 * see {@link checkKey}. Every method throws `file.storage_unavailable` where the storage cannot be reached.
 */
export interface Files {
  /**
   * Stores a file, replacing one of that key; readers see the old one or the whole new one. Where `content` fails,
   * nothing is stored and its error is thrown.
   * @param type media type; `application/octet-stream` where not said
   */
  put(key: string, content: Readable, options?: { type?: string }): Promise<void>;
  /** The bytes of a file. @throws file.not_found */
  get(key: string): Promise<Readable>;
  /** Removes a file; a missing one is no error. */
  delete(key: string): Promise<void>;
  /**
   * A link that downloads the file without further credentials.
   * @param expiresSeconds how long it works
   * @param options.saveAs name that the browser saves it under; the last segment of the key where not said
   * @throws file.not_found
   */
  signedUrl(key: string, expiresSeconds: number, options?: { saveAs?: string }): Promise<string>;
  /** Every file in a folder and below it, by key; `''` lists all. */
  list(folder: string): Promise<StoredFile[]>;
}

const KEY = /^[a-z0-9][\w.=-]*(\/[a-z0-9][\w.=-]*)*$/i;
const MAX_KEY = 512;

/**
 * Only segments that every storage takes unchanged and no file system reads as a way up or a hidden file.
 * @returns the key @throws Error where it is none: keys are made by the program
 */
export function checkKey(key: string): string {
  if (key.length > MAX_KEY || !KEY.test(key)) throw new Error(`not a key of a file: ${JSON.stringify(key)}`);
  return key;
}
