/** OVN's central parts, by the names of Debian's units. */
export type CentralService = 'ovn-northd' | 'ovn-ovsdb-server-nb' | 'ovn-ovsdb-server-sb';

/** What an operator calls each. */
export const centralWords: Readonly<Record<CentralService, string>> = {
  'ovn-northd': 'ovn-northd',
  'ovn-ovsdb-server-nb': "OVN's northbound database",
  'ovn-ovsdb-server-sb': "OVN's southbound database",
};

/** The process of each among those of a host: a database is an ovsdb-server whose control socket tells which. */
export const centralProcess: Readonly<Record<CentralService, RegExp>> = {
  'ovn-northd': /(?:^|\/)ovn-northd\s/,
  'ovn-ovsdb-server-nb': /(?:^|\/)ovsdb-server\s.*ovnnb_db/,
  'ovn-ovsdb-server-sb': /(?:^|\/)ovsdb-server\s.*ovnsb_db/,
};
