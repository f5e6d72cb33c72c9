#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb lsp-set-addresses $WEB_PORT "fa:16:3e:00:00:99 $WEB"; hx cmp1 ip netns exec ovnmeta-$NET ip neigh flush all; }
heal()    { nb lsp-set-addresses $WEB_PORT "$WEB_MAC $WEB"; hx cmp1 ip netns exec ovnmeta-$NET ip neigh flush all; }
symptom() { ! pw; }
main "$@"
