/**
 * The device token of an unattended screen: given once in the URL's fragment (`#token=…`, which no
 * server log sees), kept for this browser tab so that a reload stays signed in, taken out of the
 * address bar so that nobody reads it off the wall.
 */
const KEY = "waystock.token";

interface Keep {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export class DeviceToken {
  private token: string | null;

  constructor(
    fragment: string,
    private readonly keep: Keep,
  ) {
    const given = new URLSearchParams(fragment.replace(/^#/, "")).get("token");
    if (given !== null && given !== "") keep.setItem(KEY, given);
    this.token = keep.getItem(KEY);
  }

  get value(): string | null {
    return this.token;
  }

  forget(): void {
    this.token = null;
    this.keep.removeItem(KEY);
  }
}
