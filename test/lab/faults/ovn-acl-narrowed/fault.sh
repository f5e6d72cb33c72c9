#!/bin/bash
. "$(dirname "$0")/../lib.sh"
acl()     { nb --format=json --columns=_uuid,match,direction list acl | jq -r --arg p "@$(pg $SG) " '.data[]|select(.[2]=="to-lport" and (.[1]|contains($p) and contains("icmp4")))|.[0][1]' | head -1; }
m()       { nb set acl $(acl) match="\"outport == @$(pg $SG) && ip4 && ip4.src == $1 && icmp4\""; }
inject()  { m 10.9.9.0/24; }
heal()    { m 0.0.0.0/0; }
symptom() { ! pw && hf; }
main "$@"
