#!/bin/bash
# reach.sh [ROUNDS [SEED]]  - random security groups on the lab's instances: does `ostk-doctor reach` say what packets do?
# Each round puts random throw-away groups on an instance's port, waits until its host has the rules, asks the doctor, sends the same
# packets from the DHCP or router namespace (ovn: metadata namespace, and this machine by the floating address), and compares. Prints a table and every disagreement; status 1 when there is one. The
# table of a whole run goes to REACH.md. LAB_DOCTOR: another doctor's command line; LAB_COMMIT: of which commit that is. LAB_LOCK=FILE:
# held while something is changed, given to others every minute. LAB_INSTANCES='ID...': asks about these instances of the caller's own, and
# holds the lock only to ask again what came out wrong.
# The ports get their own groups back, whatever happens; what a killed run left is put back by the next one, or by: reach.sh restore
. "$(dirname "$0")/lib.sh"
V=$(cat "$LAB_RUN/variant" 2>/dev/null); [ -n "$V" ] || die "no lab named $LAB_NAME is running"
ROOT=$(cd "$LAB_DIR/../.." && pwd); DOCTOR=${LAB_DOCTOR:-node $ROOT/bin/ostk-doctor.js}
COMMIT=${LAB_COMMIT:-$(git -C "$ROOT" rev-parse --short HEAD)}
main() { hx op bash -c '. /root/openrc; exec python3 "$@"' reach "$LAB_DIR/reach/main.py" "$@"; }
# Of a closed UDP port a guest tells everybody but the anycast address of its subnet's routers (RFC 4443 2.4 e.6; ipv6_anycast_destination
# in include/net/ip6_route.h: the address of an on-link route's prefix), and that is what Neutron gives a router. With a route of its own
# it is a host like any other.
routers() { local verb=$1 guest; ids
  for guest in "$APP_ID" "$MULTI_ID"; do
    [ -z "$guest" ] || bash "$LAB_DIR/guest.sh" "$guest" "ip -6 route $verb fd00:77::/128 dev eth0" >/dev/null || [ "$verb" = del ] || die "the guest $guest does not take a route"
  done; }
# The metadata agent of Zed gives its namespaces the IPv4 addresses of the metadata port only; OVN knows it by both. And a checksum that a
# veth leaves to its other end is filled in by nobody on a userspace datapath.
namespaces() { local verb=$1 tx=$2 h net dev six; ids
  for net in "$NET" "$NET2"; do
    six=$(api "9696/v2.0/ports?network_id=$net&device_owner=network:distributed" | jq -r '.ports[].fixed_ips[].ip_address | select(contains(":"))')
    dev=tap${net:0:10}1
    for h in cmp1 cmp2; do
      hx $h ip netns exec "ovnmeta-$net" ethtool -K "$dev" tx "$tx" >/dev/null 2>&1
      [ -z "$six" ] || hx $h ip netns exec "ovnmeta-$net" ip -6 addr "$verb" "$six/64" dev "$dev" nodad 2>/dev/null
    done
  done; true; }
prepare() { if [ "$V" = ovn ]; then namespaces add off; else routers replace; fi; }
unprepare() { if [ "$V" = ovn ]; then namespaces del on; else routers del; fi; }
restore() { trap '' INT TERM HUP; main restore; unprepare; }
if [ "${1:-}" = restore ]; then restore; exit; fi
if [ -n "${LAB_LOCK:-}" ]; then exec 9>>"$LAB_LOCK"; fi
trap restore EXIT; trap 'exit 130' INT; trap 'exit 143' TERM HUP   # restore ends a run that is still under way, first
prepare
main run --variant "$V" --doctor "$DOCTOR" --rounds "${1:-200}" --seed "${2:-$(date +%s)}" --commit "$COMMIT" --page "$LAB_DIR/REACH.md" --only "${LAB_INSTANCES:-}" ${LAB_LOCK:+--lock 9} &
wait $!
