#!/bin/bash
# guest-real.sh [--no-metadata] [NAME [HOST]]   Boots a Debian guest with its own cloud-init (default: real-1 on cmp2), waits until
# cloud-init has finished and prints the console log. --no-metadata: the guest cannot reach the metadata service meanwhile.
. "$(dirname "$0")/lib.sh"
NOMETA=; [ "${1:-}" = --no-metadata ] && { NOMETA=1; shift; }
name=${1:-real-1}; host=${2:-cmp2}
V=$(cat $LAB_RUN/variant 2>/dev/null) && [ -n "$V" ] || die "no lab named $LAB_NAME is running"
HD=$LAB_STATE/$V/hosts; . "$LAB_DIR/steps.sh"
finished() { console $name | grep -qE 'Cloud-init .* finished'; }
if [ -n "$NOMETA" ]; then   # the proxy's namespace takes no request: on net1, with OVN on the compute
  ids; ns="net1 ip netns exec qrouter-$RTR" port=9697; [ $V = ovn ] && ns="$host ip netns exec ovnmeta-$NET" port=80
  drop() { hx $ns iptables $1 INPUT -p tcp --dport $port -j DROP; }
  drop -I; trap 'drop -D' EXIT
fi
t0=$SECONDS
cloud real $name $host >/dev/null || die "$name did not become ACTIVE"
say "$name is ACTIVE after $((SECONDS-t0)) s"
wait_for ${LAB_REAL_WAIT:-600} "cloud-init of $name" finished >/dev/null || { console $name; exit 1; }
say "cloud-init of $name has finished after $((SECONDS-t0)) s"
console $name
