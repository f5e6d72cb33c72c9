/** One direction of a tunnel: its hosts, and their endpoints. */
export interface Way {
  readonly from: string;
  readonly to: string;
  readonly ownEnd: string;
  readonly farEnd: string;
}
